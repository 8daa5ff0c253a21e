"""The reports as OData 4.0: the model, what a request asks for, and the rows that answer it. The server's alone."""
