#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Reads a message on standard input with Email::MIME or MIME::Parser (--email-mime, --mime-parser) and prints as JSON what
# that parser makes of it; submit_cases.py compares. Further arguments name header fields to print.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Encode qw(decode);
use JSON::PP;

# What the text of a part says in its charset; nothing when it is no text of ours.
sub text_of {
  my ($type, $charset, $octets) = @_;
  return $type =~ m{^text/} && lc($charset // '') eq 'utf-8' ? decode('UTF-8', $octets, Encode::FB_CROAK) : undef;
}

sub leaf {
  my ($type, $params, $disposition, $filename, $id, $octets) = @_;
  $id = $1 if defined $id && $id =~ /^<(.*)>\s*$/;
  return {type => lc $type, params => $params, disposition => lc($disposition // ''), filename => $filename // '',
          content_id => $id // '', size => length $octets, sha256 => sha256_hex($octets),
          text => text_of($type, $params->{charset}, $octets)};
}

# Octets of a header field beyond ASCII are UTF-8 (RFC 6532); both parsers leave them as they are.
sub utf8 { my ($octets) = @_; utf8::decode($octets); return $octets; }

sub plain_parameters { my %all = @_; delete $all{boundary}; return \%all; }

sub email_mime_part {
  my ($part) = @_;
  my $type = Email::MIME::ContentType::parse_content_type($part->content_type // 'text/plain');
  my $name = lc "$type->{type}/$type->{subtype}";
  if ($type->{type} eq 'multipart') {
    return {type => $name, params => plain_parameters(%{$type->{attributes}}),
            parts => [map { email_mime_part($_) } $part->subparts]};
  }
  my $disposition = $part->header_raw('Content-Disposition');
  my $id = $part->header_raw('Content-ID');
  my $parsed = defined $disposition ? Email::MIME::ContentType::parse_content_disposition($disposition) : {};
  return leaf($name, $type->{attributes}, $parsed->{type}, $parsed->{attributes}{filename},
              $id, $part->body);
}

sub with_email_mime {
  my ($octets, @fields) = @_;
  require Email::MIME;
  my $mail = Email::MIME->new($octets);
  my %read = (headers => {map { $_ => [$mail->header_str($_)] } @fields}, tree => email_mime_part($mail));
  for my $field (qw(From To Cc Bcc Reply-To)) {
    $read{addresses}{$field} = [map { [$_->phrase // '', utf8($_->address)] } map { $_->addresses } $mail->header_as_obj($field)];
  }
  return \%read;
}

sub mime_parser_part {
  my ($part) = @_;
  my $head = $part->head;
  my $type = lc $head->mime_type;
  my $content_type = $head->get('Content-Type') // 'text/plain';
  my %params = %{MIME::Field::ParamVal->parse_params($content_type)};
  delete $params{_};
  return {type => $type, params => plain_parameters(%params), parts => [map { mime_parser_part($_) } $part->parts]}
    if $part->is_multipart;
  my $id = $head->get('Content-ID');
  my $octets = $part->bodyhandle->as_string;
  # It gives lines that were in no transfer encoding the line ends of its machine.
  $octets =~ s/\r?\n/\r\n/g if $head->mime_encoding =~ /^[78]bit$/;
  my $filename = MIME::WordDecoder::mime_to_perl_string($head->mime_attr('content-disposition.filename') // '');
  return leaf($type, \%params, $head->mime_attr('content-disposition'), $filename, $id, $octets);
}

sub with_mime_parser {
  my ($octets, @fields) = @_;
  require MIME::Parser;
  require MIME::WordDecoder;
  require MIME::Field::ParamVal;
  require Mail::Address;
  my $parser = MIME::Parser->new;
  $parser->output_to_core(1);
  $parser->tmp_to_core(1);
  $parser->extract_nested_messages(0);
  $parser->decode_headers(0);
  my $mail = $parser->parse_data($octets);
  my $head = $mail->head;
  my $decoded = sub { MIME::WordDecoder::mime_to_perl_string($_[0]) };
  my $unfolded = sub { my ($value) = @_; $value =~ s/\r?\n(?=[ \t])//g; $value =~ s/\r?\n\z//; $value };
  my %read = (tree => mime_parser_part($mail));
  for my $field (@fields) { $read{headers}{$field} = [map { $decoded->($unfolded->($_)) } $head->get_all($field)]; }
  for my $field (qw(From To Cc Bcc Reply-To)) {
    for my $address (map { Mail::Address->parse($unfolded->($_)) } $head->get_all($field)) {
      next unless $address->address =~ /@/;    # the group of undisclosed recipients
      my $name = $address->phrase;
      $name =~ s/\\(.)/$1/gs if $name =~ s/\A"(.*)"\z/$1/s;    # Mail::Address leaves the quotes to its caller
      push @{$read{addresses}{$field}}, [$decoded->($name), utf8($address->address)];
    }
    $read{addresses}{$field} //= [];
  }
  return \%read;
}

my $parser = shift @ARGV // '';
binmode STDIN;
my $octets = do { local $/; <STDIN> };
my @fields = @ARGV;
my $read = $parser eq '--email-mime' ? with_email_mime($octets, @fields)
         : $parser eq '--mime-parser' ? with_mime_parser($octets, @fields)
         : die "read_mime.pl --email-mime|--mime-parser FIELD...\n";
print JSON::PP->new->canonical->ascii->encode($read), "\n";
