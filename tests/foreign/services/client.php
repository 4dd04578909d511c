<?php
// client.php URL ...: asks them by PHP's own streams, prints the status of each.
$context = stream_context_create(['http' => ['ignore_errors' => true],
                                  'ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]);
foreach (array_slice($argv, 1) as $url) {
    file_get_contents($url, false, $context);
    echo 'status ', explode(' ', $http_response_header[0])[1], "\n";
}
