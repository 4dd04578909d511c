# CGI
printf 'Status: 500\r\nContent-Type: text/plain\r\n\r\nfailed\n'
