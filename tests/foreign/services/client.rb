# client.rb URL ...: asks them over one kept-alive connection, prints the status of each.
require 'net/http'

urls = ARGV.map { |url| URI(url) }
options = { use_ssl: urls[0].scheme == 'https', verify_mode: OpenSSL::SSL::VERIFY_NONE }
Net::HTTP.start(urls[0].host, urls[0].port, **options) do |http|
  urls.each { |url| puts "status #{http.get(url.path).code}" }
end
