# tls_service.rb PORT CERTIFICATE KEY: /N answers with N bytes. Ruby's OpenSSL writes a record at a time
# and moves what is left to the front of its buffer.
require 'openssl'
require 'socket'

port, certificate, key = ARGV
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(certificate))
context.key = OpenSSL::PKey::RSA.new(File.read(key))
server = OpenSSL::SSL::SSLServer.new(TCPServer.new('127.0.0.1', Integer(port)), context)
loop do
  connection = begin
    server.accept
  rescue OpenSSL::SSL::SSLError, SystemCallError
    next
  end
  Thread.new do
    while (line = connection.gets)
      length = Integer(line[/[0-9]+/])
      nil until connection.gets.strip.empty?
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: #{length}\r\n\r\n" + 'x' * length)
    end
    connection.close
  rescue OpenSSL::SSL::SSLError, SystemCallError
    connection.close
  end
end
