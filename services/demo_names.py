"""Synthetic names for the demo: places of Ningbo, made-up villages and firms, plausible people."""

import random
from dataclasses import dataclass

from domain.organisations import RegionalMode


@dataclass(frozen=True, slots=True)
class Name:
    """A name in Chinese and in English."""

    zh: str
    en: str


CITY = Name("宁波市", "Ningbo")
COUNTIES = (
    (Name("海曙区", "Haishu District"), (("白云", "Baiyun", "街道"), ("月湖", "Yuehu", "街道"), ("集士港", "Jishigang", "镇"))),
    (Name("江北区", "Jiangbei District"), (("庄桥", "Zhuangqiao", "街道"), ("洪塘", "Hongtang", "街道"), ("慈城", "Cicheng", "镇"))),
    (Name("镇海区", "Zhenhai District"), (("招宝山", "Zhaobaoshan", "街道"), ("骆驼", "Luotuo", "街道"), ("澥浦", "Xiepu", "镇"))),
    (Name("北仑区", "Beilun District"), (("新碶", "Xinqi", "街道"), ("小港", "Xiaogang", "街道"), ("梅山", "Meishan", "街道"))),
    (Name("鄞州区", "Yinzhou District"), (("下应", "Xiaying", "街道"), ("首南", "Shounan", "街道"), ("姜山", "Jiangshan", "镇"))),
    (Name("奉化区", "Fenghua District"), (("锦屏", "Jinping", "街道"), ("莼湖", "Chunhu", "街道"), ("溪口", "Xikou", "镇"))),
    (Name("余姚市", "Yuyao"), (("阳明", "Yangming", "街道"), ("泗门", "Simen", "镇"), ("梁弄", "Liangnong", "镇"))),
    (Name("慈溪市", "Cixi"), (("浒山", "Hushan", "街道"), ("观海卫", "Guanhaiwei", "镇"), ("周巷", "Zhouxiang", "镇"))),
    (Name("宁海县", "Ninghai County"), (("跃龙", "Yuelong", "街道"), ("西店", "Xidian", "镇"), ("前童", "Qiantong", "镇"))),
    (Name("象山县", "Xiangshan County"), (("丹东", "Dandong", "街道"), ("石浦", "Shipu", "镇"), ("西周", "Xizhou", "镇"))),
)  # fmt: skip
DIVISION = {"街道": "Subdistrict", "镇": "Town"}
WORDS = (
    ("望湖", "Wanghu"), ("新丰", "Xinfeng"), ("春晓", "Chunxiao"), ("清泉", "Qingquan"), ("东海", "Donghai"),
    ("明月", "Mingyue"), ("绿洲", "Lüzhou"), ("金桥", "Jinqiao"), ("南塘", "Nantang"), ("北山", "Beishan"),
    ("福明", "Fuming"), ("安乐", "Anle"), ("长河", "Changhe"), ("花园", "Huayuan"), ("青林", "Qinglin"),
    ("双桥", "Shuangqiao"), ("云石", "Yunshi"), ("海天", "Haitian"), ("永兴", "Yongxing"), ("朝阳", "Chaoyang"),
    ("兴隆", "Xinglong"), ("和平", "Heping"), ("石桥", "Shiqiao"), ("龙泉", "Longquan"), ("梅溪", "Meixi"),
    ("桃源", "Taoyuan"), ("杨柳", "Yangliu"), ("竹山", "Zhushan"), ("莲塘", "Liantang"), ("松涛", "Songtao"),
    ("启明", "Qiming"), ("联丰", "Lianfeng"), ("同心", "Tongxin"), ("万安", "Wan'an"), ("嘉禾", "Jiahe"),
    ("横河", "Henghe"), ("沙湾", "Shawan"), ("高桥", "Gaoqiao"), ("天一", "Tianyi"), ("鼓楼", "Gulou"),
    ("晨光", "Chenguang"),
)  # fmt: skip
TRADES = (
    ("塑机", "Plastics Machinery"), ("服装", "Garments"), ("文具", "Stationery"), ("模具", "Moulds"),
    ("纺织", "Textiles"), ("光学", "Optics"), ("汽配", "Car Parts"), ("电器", "Appliances"),
    ("物流", "Logistics"), ("软件", "Software"), ("建材", "Building Materials"), ("渔业", "Fisheries"),
    ("轴承", "Bearings"),
)  # fmt: skip
MODES = {
    RegionalMode.PARK: Name("{zh}工业园区", "{en} Industrial Park"),
    RegionalMode.STREET_BLOCK: Name("{zh}街区", "{en} Street Block"),
    RegionalMode.AREA: Name("{zh}片区", "{en} Area"),
    RegionalMode.VILLAGE_ENTERPRISE: Name("{zh}村企", "{en} Village and Enterprises"),
    RegionalMode.VILLAGE_NEIGHBOURHOOD: Name("{zh}村居", "{en} Village and Neighbourhood"),
    RegionalMode.BUSINESS_DISTRICT: Name("{zh}商圈", "{en} Business District"),
    RegionalMode.BUILDING: Name("{zh}大厦楼宇", "{en} Tower"),
    RegionalMode.TRADE: Name("{zh}服务行业", "{en} Service Trade"),
    RegionalMode.INDUSTRY: Name("{zh}产业", "{en} Industry"),
    RegionalMode.PERSONNEL: Name("{zh}流动人员", "{en} Mobile Staff"),
}
SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文辉力玲梅斌波宁雪琳晨曦浩宇欣怡佳慧子涵俊峰海燕志远思源雨晴春生秋月云飞立新永康国栋爱民小红晓东家豪诗雅一鸣乐天安然若水清扬"


def word(number: int) -> Name:
    return Name(*WORDS[number % len(WORDS)])


def trade(number: int) -> Name:
    return Name(*TRADES[number % len(TRADES)])


def people(chance: random.Random, count: int) -> list[str]:
    """Make up names of people: one surname, one or two characters after it."""
    surnames = chance.choices(SURNAMES, k=count)
    first = chance.choices(GIVEN, k=count)
    second = chance.choices((*GIVEN, *[""] * (len(GIVEN) // 3)), k=count)
    return list(map("".join, zip(surnames, first, second, strict=True)))
