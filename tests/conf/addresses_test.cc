#include "conf/addresses.h"

#include <gtest/gtest.h>

namespace weir::conf {
namespace {

TEST(Addresses, ListenAddressesAreNumeric) {
  // Host and port are taken apart, IPv6 in one spelling; a socket keeps its path.
  const auto v4 = parse_listen_address("127.0.0.1:8080");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 8080);
  const auto v6 = parse_listen_address("[0:0::1]:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 0);
  EXPECT_EQ(v6->text, "[0:0::1]:0");
  const auto socket = parse_listen_address("unix:/run/weir.sock");
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->kind, ListenAddress::Kind::Unix);
  EXPECT_EQ(socket->host, "/run/weir.sock");
}

TEST(Addresses, WrongListenAddressesNameTheRightOne) {
  // Each common slip is answered with the spelling that works.
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"8080", "\"8080\" is not an address to listen on (try 127.0.0.1:8080)"},
      {":8080", "\":8080\" is not an address to listen on (try 0.0.0.0:8080)"},
      {"*:80", "\"*:80\" is not an address to listen on (try 0.0.0.0:80)"},
      {"http://127.0.0.1:81/",
       "\"http://127.0.0.1:81/\" is not an address to listen on (try 127.0.0.1:81)"},
      {"https://localhost:81",
       "\"https://localhost:81\" is not an address to listen on (try 127.0.0.1:81)"},
      {"localhost:81", "\"localhost:81\" is not an address to listen on (try 127.0.0.1:81)"},
      {"10.0.0.1", "\"10.0.0.1\" is not an address to listen on (try 10.0.0.1:8080)"},
      {"::1:80", "\"::1:80\" is not an address to listen on (try [::1]:80)"},
      {"[1.2.3.4]:80", "\"[1.2.3.4]:80\" is not an address to listen on (try 0.0.0.0:80)"},
      {"1.2.3.4:99999",
       "\"1.2.3.4:99999\" is not an address to listen on (the port is a number from 0 to 65535)"},
      {"99999", "\"99999\" is not an address to listen on (the port is a number from 0 to 65535)"},
      {"*:65536",
       "\"*:65536\" is not an address to listen on (the port is a number from 0 to 65535)"},
      {"[::1]:http",
       "\"[::1]:http\" is not an address to listen on (the port is a number from 0 to 65535)"},
      {"1.2.3.4:",
       "\"1.2.3.4:\" is not an address to listen on (the port is a number from 0 to 65535)"},
      {"", "\"\" is not an address to listen on (try 127.0.0.1:8080)"},
      {"unix:", "\"unix:\" names no socket (try unix:/run/weir.sock)"},
      {"unix:run", "\"unix:run\" names no socket (try unix:/run/weir.sock)"},
      {"unix:///run/x", "\"unix:///run/x\" is not a socket (try unix:/run/x)"},
  };
  for (const auto& row : rows) {
    const auto address = parse_listen_address(row.text);
    ASSERT_FALSE(address) << row.text;
    EXPECT_EQ(address.error().message, row.message);
  }
  const auto longest = parse_listen_address("unix:/" + std::string(200, 'x'));
  ASSERT_FALSE(longest);
  EXPECT_EQ(longest.error().message, "a socket's path has at most 107 bytes, this one 201");
}

TEST(Addresses, WrongAdminAddressesNameALocalOne) {
  // What is proposed for the admin address never needs a token.
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"8081", "\"8081\" is not an address to listen on (try 127.0.0.1:8081)"},
      {":9000", "\":9000\" is not an address to listen on (try 127.0.0.1:9000)"},
      {"*:9000", "\"*:9000\" is not an address to listen on (try 127.0.0.1:9000)"},
      {"on", "\"on\" is not an address to listen on (try 127.0.0.1:8081)"},
      {"127.0.0.1", "\"127.0.0.1\" is not an address to listen on (try 127.0.0.1:8081)"},
  };
  for (const auto& row : rows) {
    const auto address = parse_listen_address(row.text, Audience::Admin);
    ASSERT_FALSE(address) << row.text;
    EXPECT_EQ(address.error().message, row.message);
  }
}

TEST(Addresses, UpstreamsThatAreAListener) {
  // Only what is certain: names and this machine's other addresses are not looked up.
  const struct {
    const char* url;
    const char* listen;
    bool leads;
  } rows[] = {
      {"http://127.0.0.1:80", "127.0.0.1:80", true},
      {"http://127.0.0.1", "127.0.0.1:80", true},
      {"https://127.0.0.1:80", "0.0.0.0:80", true},
      {"http://127.0.0.1:81", "127.0.0.1:80", false},
      {"http://127.0.0.2:80", "127.0.0.1:80", false},
      {"http://127.0.0.2:80", "0.0.0.0:80", true},
      {"http://LocalHost:80", "127.0.0.1:80", true},
      {"http://localhost:80", "0.0.0.0:80", true},
      {"http://localhost:80", "[::1]:80", true},
      {"http://localhost:80", "10.0.0.1:80", false},
      {"http://[0::1]:80", "[::1]:80", true},
      {"http://[::1]:80", "[::]:80", true},
      {"http://[::1]:80", "0.0.0.0:80", false},
      {"http://0.0.0.0:80", "0.0.0.0:80", true},
      {"http://10.0.0.1:80", "10.0.0.1:80", true},
      {"http://10.0.0.1:80", "0.0.0.0:80", false},
      {"http://app:80", "0.0.0.0:80", false},
      {"http://127.1:80", "127.0.0.1:80", true},
      {"http://0:80", "127.0.0.1:80", true},
      {"http://0.0.0.0:80", "127.0.0.1:80", true},
      {"http://0.0.0.0:80", "10.0.0.1:80", false},
      {"http://[::]:80", "[::1]:80", true},
      {"http://2130706433:80", "0.0.0.0:80", true},
      {"http://0x7f.1:80", "127.0.0.1:80", true},
      {"http://[::ffff:127.0.0.1]:80", "127.0.0.1:80", true},
      {"http://[::ffff:10.0.0.1]:80", "127.0.0.1:80", false},
      {"unix:/run/a", "unix:/run/a", true},
      {"unix:/run/a", "unix:/run/b", false},
      {"unix:/run/a", "127.0.0.1:80", false},
      {"http://localhost:80", "unix:/run/a", false},
  };
  for (const auto& row : rows) {
    const auto url = parse_upstream_url(row.url);
    const auto listen = parse_listen_address(row.listen);
    ASSERT_TRUE(url && listen) << row.url;
    EXPECT_EQ(leads_to(*url, *listen), row.leads) << row.url << " " << row.listen;
  }
}

TEST(Addresses, ConflictsAreOfOnePort) {
  // A wildcard takes its port from every address of its family, and port 0 takes nothing.
  const struct {
    const char* a;
    const char* b;
    bool conflict;
  } rows[] = {
      {"127.0.0.1:80", "127.0.0.1:80", true},  {"0.0.0.0:80", "127.0.0.1:80", true},
      {"127.0.0.1:80", "127.0.0.2:80", false}, {"127.0.0.1:80", "127.0.0.1:81", false},
      {"[::]:80", "0.0.0.0:80", false},        {"[::]:80", "[::1]:80", true},
      {"127.0.0.1:0", "127.0.0.1:0", false},   {"unix:/a", "unix:/a", true},
      {"unix:/a", "unix:/b", false},           {"unix:/a", "127.0.0.1:80", false},
      {"[::1]:80", "[0::1]:80", true},
  };
  for (const auto& row : rows) {
    const auto a = parse_listen_address(row.a);
    const auto b = parse_listen_address(row.b);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(conflict(*a, *b), row.conflict) << row.a << " " << row.b;
    EXPECT_EQ(conflict(*b, *a), row.conflict) << row.b << " " << row.a;
  }
}

TEST(Addresses, RangesByNameAndByNumber) {
  // Names stand for their ranges of both families, numbers for one.
  EXPECT_EQ(parse_address_range("loopback")->size(), 2U);
  EXPECT_EQ(parse_address_range("private")->size(), 4U);
  EXPECT_EQ(parse_address_range("link-local")->size(), 2U);
  const auto v4 = parse_address_range("10.1.0.0/16");
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->front().ipv6);
  EXPECT_EQ(v4->front().address[1], 1);
  EXPECT_EQ(v4->front().prefix_bits, 16);
  EXPECT_EQ(parse_address_range("1.2.3.4")->front().prefix_bits, 32);
  EXPECT_EQ(parse_address_range("2001:db8::")->front().prefix_bits, 128);
  EXPECT_EQ(parse_address_range("0.0.0.0/0")->front().prefix_bits, 0);
  const struct {
    const char* text;
    const char* message;
  } bad[] = {
      {"privat", "\"privat\" is not an address range (did you mean \"private\"?)"},
      {"10.0.0.1/8", "\"10.0.0.1/8\" has bits set behind its prefix (try 10.0.0.0/8)"},
      {"fe80::1/10", "\"fe80::1/10\" has bits set behind its prefix (try fe80::/10)"},
      {"10.0.0.0/33",
       "\"10.0.0.0/33\" is not an address range (the number behind the slash is 0 to 32)"},
      {"10.0.0/8",
       "\"10.0.0/8\" is not an address range (try 10.0.0.0/8, 2001:db8::/32, loopback, private or "
       "link-local)"},
  };
  for (const auto& row : bad) {
    const auto range = parse_address_range(row.text);
    ASSERT_FALSE(range) << row.text;
    EXPECT_EQ(range.error().message, row.message);
  }
}

TEST(Addresses, UpstreamUrlsNameAServerOnly) {
  // Scheme, host and port; ports have the scheme's default.
  const struct {
    const char* text;
    UpstreamUrl::Kind kind;
    const char* host;
    int port;
    const char* socket;
  } rows[] = {
      {"http://127.0.0.1:8000", UpstreamUrl::Kind::Http, "127.0.0.1", 8000, ""},
      {"http://app/", UpstreamUrl::Kind::Http, "app", 80, ""},
      {"https://[::1]", UpstreamUrl::Kind::Https, "[::1]", 443, ""},
      {"unix:/run/app.sock", UpstreamUrl::Kind::Unix, "localhost", 80, "/run/app.sock"},
  };
  for (const auto& row : rows) {
    const auto url = parse_upstream_url(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->kind, row.kind);
    EXPECT_EQ(url->host, row.host);
    EXPECT_EQ(url->port, row.port);
    EXPECT_EQ(url->socket_path, row.socket);
    EXPECT_EQ(url->text, row.text);
  }
}

TEST(Addresses, WrongUpstreamUrlsAreRefused) {
  // Nothing but a server is taken, and a password is not repeated.
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"localhost:8000", "\"localhost:8000\" is not the URL of an app (try http://localhost:8000)"},
      {"HTTP://a", "\"HTTP://a\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"ftp://a", "\"ftp://a\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"http://", "\"http://\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"http://a:0",
       "\"http://a:0\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"http://127.0.0.1:99999",
       "\"http://127.0.0.1:99999\" is not the URL of an app (the port is a number from 1 to "
       "65535)"},
      {"https://[::1]:65536/",
       "\"https://[::1]:65536/\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"http://a:",
       "\"http://a:\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"http://a:http",
       "\"http://a:http\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"a:99999", "\"a:99999\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {":99999", "\":99999\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"99999", "\"99999\" is not the URL of an app (the port is a number from 1 to 65535)"},
      {"http://a b", "\"http://a b\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"http://[]", "\"http://[]\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"http://[", "\"http://[\" is not the URL of an app (try http://127.0.0.1:8000)"},
      {"http://u:p@a", "the URL of an app holds no user and no password"},
      {"http://a/base",
       "\"http://a/base\" is not the URL of an app (without path, query and fragment: requests "
       "bring their own)"},
      {"http://a?x",
       "\"http://a?x\" is not the URL of an app (without path, query and fragment: requests bring "
       "their own)"},
  };
  for (const auto& row : rows) {
    const auto url = parse_upstream_url(row.text);
    ASSERT_FALSE(url) << row.text;
    EXPECT_EQ(url.error().message, row.message);
  }
}

}  // namespace
}  // namespace weir::conf
