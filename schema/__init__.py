"""What a client sees: the Strawberry types, inputs, payloads and roots."""
