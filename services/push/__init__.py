"""Web push: keys, encryption, the requests to push services, and the sender of the messages that wait."""
