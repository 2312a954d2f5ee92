"""Single messages: one notification to one number, asked for by a program."""
