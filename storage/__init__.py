"""SQLModel tables and queries; rows never leave this folder, values of the domain do."""
