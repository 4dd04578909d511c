# CGI
sleep 0.2
printf 'Content-Type: text/plain\r\n\r\nslow\n'
