"""client.py requests|urllib URL ...: asks them one after the other, prints the status of each."""
import ssl
import sys
import urllib.error
import urllib.request

kind, urls = sys.argv[1], sys.argv[2:]
if kind == "requests":
    import requests
    requests.packages.urllib3.disable_warnings()
    session = requests.Session()
    for url in urls:
        print("status", session.get(url, verify=False).status_code)
else:
    for url in urls:
        try:
            with urllib.request.urlopen(url, context=ssl._create_unverified_context()) as reply:
                reply.read()
                print("status", reply.status)
        except urllib.error.HTTPError as error:
            error.read()
            print("status", error.code)
