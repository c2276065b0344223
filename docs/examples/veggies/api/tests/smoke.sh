#!/bin/sh
# In the context, by an exception in .dockerignore.
wget -q -O - http://127.0.0.1:8080/version.txt
