# What every container of the stack has: busybox, and a few scripts of ours.
FROM otto-lab/base:1
COPY etc/ /etc/
COPY bin/ /usr/local/bin/
CMD ["veggies-idle", "base"]
