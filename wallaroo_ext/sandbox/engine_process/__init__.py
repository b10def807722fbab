"""The processes in which models run, and in which what users send is decoded: one a deployment, and one a conversion.

They are forked from one process that has loaded the libraries and nothing else (`inside.py`), and shut themselves off
from everything before they read the first byte of a model (`confinement.py`). The sandbox starts, asks and ends them
(`outside.py`) over sockets (`messages.py`), and believes nothing of what they say.
"""
