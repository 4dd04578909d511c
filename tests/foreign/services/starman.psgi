# A PSGI application for starman, which logs by itself.
my $application = sub {
    my ($environment) = @_;
    my $path = $environment->{PATH_INFO};
    return [500, ['Content-Length' => 7], ["failed\n"]] if $path eq '/fail';
    select(undef, undef, undef, 0.2) if $path eq '/slow';
    my %bodies = ('/ok' => "ok\n", '/slow' => "slow\n", '/large' => 'x' x 300_000);
    my $body = $bodies{$path};
    return [404, ['Content-Length' => 7], ["absent\n"]] unless defined $body;
    return [200, ['Content-Length' => length $body],
            [$environment->{REQUEST_METHOD} eq 'HEAD' ? '' : $body]];
};
