# client.pl URL ...: asks them by LWP, prints the status of each.
use strict;
use warnings;
use LWP::UserAgent;

my $agent = LWP::UserAgent->new(keep_alive => 2,
                                ssl_opts => {verify_hostname => 0, SSL_verify_mode => 0});
print 'status ', $agent->get($_)->code, "\n" for @ARGV;
