# daemon.pl PORT: Perl's HTTP::Daemon, a process a connection; a line with the status of each answer.
use strict;
use warnings;
use HTTP::Daemon;
use HTTP::Response;

$| = 1;
$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };
my $daemon = HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1,
                               Listen => 64) or die "no port: $@";
while (1) {
    my $connection = $daemon->accept or next;
    my $child = fork();
    if ($child) { $connection->close; undef $connection; next }
    while (my $request = $connection->get_request) {
        my $path = $request->uri->path;
        my ($status, $body) = $path eq '/ok' ? (200, "ok\n") : $path eq '/large' ? (200, 'x' x 300_000)
            : $path eq '/slow' ? (200, "slow\n") : $path eq '/fail' ? (500, "failed\n")
            : (404, "absent\n");
        select(undef, undef, undef, 0.2) if $path eq '/slow';
        my $answer = HTTP::Response->new($status, undef, ['Content-Length' => length $body],
                                         $request->method eq 'HEAD' ? '' : $body);
        print "status $status\n";
        $connection->send_response($answer);
    }
    $connection->close;
    exit 0;
}
