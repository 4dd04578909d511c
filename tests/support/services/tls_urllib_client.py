"""tls_urllib_client.py TIMES URL ...: python's blocking client, a connection a request."""
import ssl
import sys
import urllib.error
import urllib.request

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
for _ in range(int(sys.argv[1])):
    for url in sys.argv[2:]:
        try:
            urllib.request.urlopen(url, context=context).read()
        except urllib.error.HTTPError as error:
            error.read()
