"""What an agent may call: `retrieve.py` answers, `definitions.py` describes."""
