# A stand-in for the development mailbox: takes every mail at port 1025, tells what it took at port 8025.
FROM localhost/monitor-test-python:latest
COPY mailbox.py /
USER nobody
CMD ["python3", "-u", "/mailbox.py"]
