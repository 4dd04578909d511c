# webrick.rb PORT [CERTIFICATE KEY]: Ruby's WEBrick; its access log on its output.
require 'webrick'
require 'webrick/https'
require 'openssl'

$stdout.sync = true
options = {
  BindAddress: '127.0.0.1', Port: ARGV[0].to_i, Logger: WEBrick::Log.new($stderr),
  AccessLog: [[$stdout, 'status %s']]
}
if ARGV[1]
  options.update(SSLEnable: true,
                 SSLCertificate: OpenSSL::X509::Certificate.new(File.read(ARGV[1])),
                 SSLPrivateKey: OpenSSL::PKey.read(File.read(ARGV[2])))
end
server = WEBrick::HTTPServer.new(options)
# A servlet, since blocks know no other methods than GET and POST.
class Ok < WEBrick::HTTPServlet::AbstractServlet
  def do_GET(_request, response)
    response.body = "ok\n"
  end

  def do_POST(request, response)
    request.body
    response.body = "ok\n"
  end
end
server.mount '/ok', Ok
server.mount_proc('/slow') { |_, response| sleep 0.2; response.body = "slow\n" }
server.mount_proc('/large') { |_, response| response.body = 'x' * 300_000 }
server.mount_proc('/fail') { raise 'failed' }
trap('TERM') { server.shutdown }
server.start
