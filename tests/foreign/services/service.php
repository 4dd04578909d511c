<?php
// Of php -S and php-fpm.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/ok') {
    echo "ok\n";
} elseif ($path === '/slow') {
    usleep(200000);
    echo "slow\n";
} elseif ($path === '/large') {
    echo str_repeat('x', 300000);
} elseif ($path === '/fail') {
    throw new Exception('failed');
} else {
    http_response_code(404);
    echo "absent\n";
}
