# A Rack application; a line with the status of each answer in the file that STATUS_LOG names.
LOG = File.open(ENV.fetch('STATUS_LOG'), 'a').tap { |file| file.sync = true }

run lambda { |env|
  env['rack.input'].read
  status, body =
    case env['PATH_INFO']
    when '/ok' then [200, "ok\n"]
    when '/slow' then sleep(0.2) && [200, "slow\n"]
    when '/large' then [200, 'x' * 300_000]
    when '/fail' then [500, "failed\n"]
    else [404, "absent\n"]
    end
  LOG.write("status #{status}\n")
  [status, { 'Content-Length' => body.bytesize.to_s }, [body]]
}
