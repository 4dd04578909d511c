-- wrk: sixteen requests in one write.
init = function(arguments)
  local requests = {}
  for number = 1, 16 do
    requests[number] = wrk.format("GET", "/ok")
  end
  batch = table.concat(requests)
end

request = function()
  return batch
end
