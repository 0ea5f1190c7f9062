"""Its place here lets every test below import ``independent_server``."""
