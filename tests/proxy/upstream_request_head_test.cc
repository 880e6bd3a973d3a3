#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/upstream/request_head.h"

namespace weir::upstream {
namespace {

using testing::ElementsAre;
using Lines = std::vector<std::string>;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A request head whose text lives as long as it does.
struct Client {
  explicit Client(Pairs lines) : text(std::move(lines)) {
    head.method = http::Method::Get;
    head.method_text = "GET";
    for (const auto& [name, value] : text) head.add({http::field_id(name), name, value});
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Pairs text;
  http::RequestHead head;
};

// What is sent of it, with all its fields: as a caller that filters nothing would hand it over.
FetchRequest made(const Client& client, const ForwardInfo& info) {
  keys::SentRequest sent;
  sent.target = "/x";
  sent.host = "a.test";
  for (const auto& [name, value] : client.text) sent.fields.add(name, value);
  return make_fetch_request(client.head, std::move(sent), info);
}

Lines lines_of(const FetchRequest& request) {
  Lines lines;
  request.fields.for_each([&](const http::FieldView& field) {
    lines.push_back(std::string(field.name) + ": " + std::string(field.value));
  });
  return lines;
}

using conf::TrustedField;
using conf::TrustedFields;

const ForwardInfo kStranger{"192.0.2.7", false, {}, "http", "a.test"};
// As by default, and one that is believed everything.
const ForwardInfo kFriend{
    "192.0.2.7", true, {TrustedField::For, TrustedField::Proto}, "https", "a.test"};
const ForwardInfo kOracle{
    "192.0.2.7",
    true,
    {TrustedField::For, TrustedField::Proto, TrustedField::Host, TrustedField::Forwarded},
    "https",
    "a.test"};

TEST(RequestHead, WritesTheForwardingFields) {
  // Shows what an app is told of a client without any such field of its own.
  EXPECT_THAT(lines_of(made(Client(Pairs{{"Accept", "*/*"}}), kStranger)),
              ElementsAre("Accept: */*", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http",
                          "X-Forwarded-Host: a.test",
                          "Forwarded: for=192.0.2.7;host=a.test;proto=http", "Via: 1.1 weir"));
}

TEST(RequestHead, BelievesTrustedPeersOnly) {
  // Shows that a stranger's claims are dropped, a trusted proxy's appended to or kept, and that the
  // host is always the key's.
  const Client client({{"X-Forwarded-For", "10.0.0.1"},
                       {"X-Forwarded-For", "10.0.0.2, 10.0.0.3"},
                       {"X-Forwarded-Proto", "HTTPS"},
                       {"X-Forwarded-Host", "evil.test"},
                       {"X_Forwarded_Host", "evil.test"},
                       {"x_forwarded_prefix", "/evil"},
                       {"x-real-ip", "10.0.0.1"},
                       {"Forwarded", "for=10.0.0.1"},
                       {"Via", "1.1 edge"},
                       {"Via", "2 other"}});
  EXPECT_THAT(
      lines_of(made(client, kStranger)),
      ElementsAre("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http",
                  "X-Forwarded-Host: a.test", "Forwarded: for=192.0.2.7;host=a.test;proto=http",
                  "Via: 1.1 edge, 2 other, 1.1 weir"));
  EXPECT_THAT(
      lines_of(made(client, kFriend)),
      ElementsAre("x-real-ip: 10.0.0.1", "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7",
                  "X-Forwarded-Proto: https", "X-Forwarded-Host: a.test",
                  "Forwarded: for=10.0.0.1, for=10.0.0.2, for=10.0.0.3, "
                  "for=192.0.2.7;host=a.test;proto=https",
                  "Via: 1.1 edge, 2 other, 1.1 weir"));
}

TEST(RequestHead, KeepsOnlyTheNodesOfAnEarlierForwarded) {
  // Shows that no trusted peer can pass on a host or a scheme that is not the key's, nor text that
  // would swallow our own element.
  const std::pair<const char*, const char*> rows[] = {
      {"for=1.2.3.4;host=evil.test;proto=https", "for=1.2.3.4, "},
      {"host=evil.test; for=\"[2001:db8::1]:80\" , for=_hidden",
       "for=\"[2001:db8::1]:80\", for=_hidden, "},
      {"host=\"evil", ""},
      {"for=1.2.3.4;x=\"", "for=1.2.3.4, "},
      {"for=\"a,b\"", ""},
      {", ,", ""},
      {"x=\"a;for=6.6.6.6\";for=1.2.3.4", "for=1.2.3.4, "},
  };
  for (const auto& [earlier, kept] : rows) {
    const FetchRequest request = made(Client(Pairs{{"Forwarded", earlier}}), kOracle);
    const std::string forwarded(request.fields.value(http::FieldId::Forwarded));
    EXPECT_EQ(forwarded.find("evil"), std::string::npos) << earlier;
    EXPECT_TRUE(forwarded.starts_with(std::string(kept) + "for="))
        << earlier << " -> " << forwarded;
  }
}

TEST(RequestHead, TellsTheSameClientsInBothFields) {
  // Shows that X-Forwarded-For and Forwarded name the same addresses, whichever a proxy sent, and
  // that neither is believed unless trusted_fields has it. Rubbish stays in its own field.
  const TrustedFields by_for{TrustedField::For};
  const TrustedFields by_forwarded{TrustedField::Forwarded};
  const TrustedFields by_both{TrustedField::For, TrustedField::Forwarded};
  const std::string rubbish(8192, 'x');
  const struct {
    TrustedFields believed;
    Pairs lines;
    std::string x_for;
    std::string nodes;
  } rows[] = {
      {by_for,
       {{"X-Forwarded-For", "1.2.3.4, 2001:DB8::1"}},
       "1.2.3.4, 2001:DB8::1, ",
       "for=1.2.3.4, for=\"[2001:DB8::1]\", "},
      {by_for,
       {{"X-Forwarded-For", "[2001:db8::1]:80, 1.2.3.4:80,, unknown"}},
       "[2001:db8::1]:80, 1.2.3.4:80,, unknown, ",
       "for=\"[2001:db8::1]:80\", for=\"1.2.3.4:80\", for=unknown, "},
      {by_for, {{"X-Forwarded-For", "a\"b, \"1.2.3.4\""}}, "a\"b, \"1.2.3.4\", ", ""},
      {by_for, {{"X-Forwarded-For", "\", 1.2.3.4"}}, "\", 1.2.3.4, ", "for=1.2.3.4, "},
      {by_for, {{"X-Forwarded-For", rubbish}}, rubbish + ", ", ""},
      {by_for, {{"Forwarded", "for=1.2.3.4"}}, "", ""},
      {by_forwarded, {{"X-Forwarded-For", "1.2.3.4"}}, "", ""},
      {by_forwarded,
       {{"Forwarded", "for=1.2.3.4:80;proto=https, For=\"[2001:db8::1]:80\""}},
       "1.2.3.4, 2001:db8::1, ",
       "for=\"1.2.3.4:80\", for=\"[2001:db8::1]:80\", "},
      {by_forwarded,
       {{"Forwarded", "for=_hidden"}, {"Forwarded", "for=unknown"}},
       "_hidden, unknown, ",
       "for=_hidden, for=unknown, "},
      {by_forwarded, {{"Forwarded", rubbish}}, "", ""},
      {by_both,
       {{"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-For", "5.6.7.8"}},
       "5.6.7.8, ",
       "for=5.6.7.8, "},
      {{}, {{"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-For", "5.6.7.8"}}, "", ""},
  };
  for (const auto& row : rows) {
    const FetchRequest request =
        made(Client(row.lines), {"192.0.2.7", true, row.believed, "http", "a.test"});
    EXPECT_EQ(request.fields.value(http::FieldId::XForwardedFor), row.x_for + "192.0.2.7");
    EXPECT_EQ(request.fields.value(http::FieldId::Forwarded),
              row.nodes + "for=192.0.2.7;host=a.test;proto=http");
  }
}

TEST(RequestHead, WritesAnyPeerAndHost) {
  // Shows the quoting of RFC 7239, and what stands for a peer without an address.
  struct Case {
    ForwardInfo info;
    std::string x_for;
    std::string forwarded;
  };
  const Case cases[] = {
      {{"2001:db8::1", false, {}, "https", "a.test:8443"},
       "2001:db8::1",
       "for=\"[2001:db8::1]\";host=\"a.test:8443\";proto=https"},
      {{"unix", false, {}, "http", "[::1]"}, "unknown", "for=unknown;host=\"[::1]\";proto=http"},
      {{"127.0.0.1", false, {}, "http", ""}, "127.0.0.1", "for=127.0.0.1;proto=http"}};
  for (const Case& c : cases) {
    const FetchRequest request = made(Client(Pairs{}), c.info);
    EXPECT_EQ(request.fields.value(http::FieldId::XForwardedFor), c.x_for);
    EXPECT_EQ(request.fields.value(http::FieldId::Forwarded), c.forwarded);
    EXPECT_EQ(request.fields.has(http::FieldId::XForwardedHost), !c.info.authority.empty());
  }
}

TEST(RequestHead, CountsTheForwardsOfOptions) {
  // Shows RFC 9110 7.6.2: only for OPTIONS (TRACE is refused), and nonsense is left to the app.
  struct Case {
    http::Method method;
    const char* value;
    const char* sent;
  };
  for (const Case& c : {Case{http::Method::Options, "10", "9"},
                        {http::Method::Options, "1", "0"},
                        {http::Method::Options, "x", "x"},
                        {http::Method::Options, "-1", "-1"},
                        {http::Method::Options, "18446744073709551616", "18446744073709551614"},
                        {http::Method::Get, "10", "10"}}) {
    Client client(Pairs{{"Max-Forwards", c.value}});
    client.head.method = c.method;
    EXPECT_EQ(made(client, kStranger).fields.value(http::FieldId::MaxForwards), c.sent) << c.value;
  }
}

TEST(RequestHead, NamesTheReceivedVersionInVia) {
  // Shows the protocol version of the client's message (RFC 9110 7.6.3).
  Client client(Pairs{});
  client.head.minor_version = 0;
  EXPECT_EQ(made(client, kStranger).fields.value(http::FieldId::Via), "1.0 weir");
}

TEST(RequestHead, RemovesWhatBelongsToOneConnection) {
  // Shows that hop-by-hop fields, those that Connection names, Expect, Host and framing stay
  // behind.
  const Client client({{"Connection", "keep-alive, X-Secret"},
                       {"X-Secret", "1"},
                       {"Keep-Alive", "5"},
                       {"TE", "trailers"},
                       {"Trailer", "X"},
                       {"Transfer-Encoding", "chunked"},
                       {"Upgrade", "h2c"},
                       {"HTTP2-Settings", "AAMAAABk"},
                       {"Proxy-Authorization", "Basic x"},
                       {"Proxy-Connection", "close"},
                       {"Expect", "100-continue"},
                       {"Host", "b.test"},
                       {"Content-Length", "3"},
                       {"X-Kept", "1"}});
  const Lines lines = lines_of(made(client, kStranger));
  EXPECT_EQ(lines[0], "X-Kept: 1");
  EXPECT_EQ(lines.size(), 6U);
}

TEST(RequestHead, CopiesTheRest) {
  // Shows that method, target, host and framing are the client's and the key's.
  Client client(Pairs{});
  client.head.method = http::Method::Post;
  client.head.method_text = "POST";
  client.head.framing = http::Framing::Length;
  client.head.content_length = 7;
  const FetchRequest request = made(client, kStranger);
  EXPECT_EQ(request.method, http::Method::Post);
  EXPECT_EQ(request.method_text, "POST");
  EXPECT_EQ(request.target, "/x");
  EXPECT_EQ(request.host, "a.test");
  EXPECT_EQ(request.framing, http::Framing::Length);
  EXPECT_EQ(request.content_length, 7U);
  EXPECT_EQ(request.body, nullptr);
  EXPECT_FALSE(request.upgrade);
}

TEST(RequestHead, OffersTunnels) {
  // Shows which protocols the app is offered, and that HTTP in another form never is.
  struct Case {
    std::string upgrade;
    std::string connection;
    http::Method method;
    int minor_version;
    std::string offered;
  };
  using http::Method;
  const Case cases[] = {{"websocket", "Upgrade", Method::Get, 1, "websocket"},
                        {"WebSocket", "keep-alive, upgrade", Method::Get, 1, "WebSocket"},
                        {"websocket", "keep-alive", Method::Get, 1, ""},
                        {"websocket", "Upgrade", Method::Get, 0, ""},
                        {"tcp", "Upgrade", Method::Post, 1, "tcp"},
                        {"tcp", "Upgrade", Method::Get, 1, "tcp"},
                        {"SPDY/3.1, tcp", "Upgrade", Method::Post, 1, "SPDY/3.1, tcp"},
                        {"h2c", "Upgrade, HTTP2-Settings", Method::Get, 1, ""},
                        {"H2C", "Upgrade", Method::Post, 1, ""},
                        {"h2,h2c", "Upgrade", Method::Get, 1, ""},
                        {"HTTP/2.0", "Upgrade", Method::Get, 1, ""},
                        {"TLS/1.0, HTTP/1.1", "Upgrade", Method::Get, 1, ""},
                        {"websocket, h2c", "Upgrade", Method::Get, 1, "websocket"},
                        {"h2c;x", "Upgrade", Method::Get, 1, ""},
                        {"tcp/", "Upgrade", Method::Get, 1, ""},
                        {"", "Upgrade", Method::Get, 1, ""}};
  for (const Case& c : cases) {
    Client client({{"Upgrade", c.upgrade},
                   {"Connection", c.connection},
                   {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
    client.head.method = c.method;
    client.head.minor_version = static_cast<std::uint8_t>(c.minor_version);
    const FetchRequest request = made(client, kStranger);
    EXPECT_EQ(request.upgrade, !c.offered.empty()) << c.upgrade << " " << c.connection;
    EXPECT_EQ(request.fields.joined(http::FieldId::Upgrade), c.offered);
    EXPECT_FALSE(request.fields.has(http::FieldId::Connection));
    EXPECT_TRUE(request.fields.find("Sec-WebSocket-Key"));
  }
  Client with_body({{"Upgrade", "websocket"}, {"Connection", "Upgrade"}});
  with_body.head.framing = http::Framing::Chunked;
  EXPECT_FALSE(made(with_body, kStranger).upgrade);
}

}  // namespace
}  // namespace weir::upstream
