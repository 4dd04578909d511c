# A PSGI application for starman, which logs by itself.
my $application = sub {
    my ($environment) = @_;
    my $path = $environment->{PATH_INFO};
    return [500, ['Content-Length' => 7], ["failed\n"]] if $path eq '/fail';
    select(undef, undef, undef, 0.2) if $path eq '/slow';
    my %bodies = ('/ok' => "ok\n", '/slow' => "slow\n", '/large' => 'x' x 300_000);
    my $body = $bodies{$path};
    my $status = defined $body ? 200 : 404;
    $body //= "absent\n";
    return [$status, ['Content-Length' => length $body],
            [$environment->{REQUEST_METHOD} eq 'HEAD' ? '' : $body]];
};
