-- wrk: one request in ten milliseconds on each connection.
request = function()
  return wrk.format("GET", "/ok")
end

delay = function()
  return 10
end
