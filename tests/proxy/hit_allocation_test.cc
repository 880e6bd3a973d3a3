#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "base/http/h1_parser.h"
#include "cachekeys/key_builder.h"
#include "proxy/flow/transaction.h"
#include "proxy/front/server.h"

// Every allocation of this program passes here and is counted. Not inlined: g++ would see malloc
// and free through one of the pair only and take them for a mismatch.
static std::atomic<std::uint64_t> allocations{0};

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace weir {
namespace {

constexpr std::string_view kRequest =
    "GET /page?b=2&a=1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nAccept: text/html\r\n"
    "Accept-Encoding: gzip, br\r\nAccept-Language: en-GB, en;q=0.8\r\n\r\n";
constexpr std::string_view kConditionalRequest =
    "GET /page?b=2&a=1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nAccept: text/html\r\n"
    "Accept-Encoding: gzip, br\r\nAccept-Language: en-GB, en;q=0.8\r\n"
    "If-None-Match: \"v0\", W/\"v1\"\r\n\r\n";
constexpr int kWarmUp = 16;  // buffers grow to their working size
constexpr int kCounted = 64;

class NoFetcher final : public upstream::Fetcher {
 public:
  std::unique_ptr<upstream::Fetch> start(upstream::FetchRequest, upstream::FetchSink&) override {
    ADD_FAILURE() << "a hit asked the app";
    return nullptr;
  }
  bool crowded() const override { return false; }
  bool is_quiet() const override { return true; }
  void reach(Tell) override {}
};

std::shared_ptr<flow::Site> make_site() {
  auto config = std::make_shared<conf::Config>();
  conf::Route route;
  route.name = "all";
  route.all_of = {{conf::Matcher{.path = "/**", .regex = {}, .host = {}, .methods = {}}}};
  route.cache.emplace();
  route.cache->tiers = {"ram"};
  config->routes.push_back(route);
  auto site = std::make_shared<flow::Site>(config);
  flow::RouteRuntime runtime;
  runtime.route = &config->routes[0];
  runtime.rule = &*config->routes[0].cache;
  runtime.recipe = keys::compile_recipe(*runtime.rule, "app.test");
  runtime.backend = backends::make_tiered({backends::make_ram_backend({})});
  site->routes.push_back(runtime);
  return site;
}

void store_page(const flow::LoopSite& site, const EventLoop& loop) {
  const flow::RouteRuntime& route = site.site->routes[0];
  http::RequestHead head;
  http::RequestParser parser({});
  parser.reset();
  ASSERT_EQ(parser.parse(kRequest, head), http::ParseStatus::Done);
  keys::KeyBuffer key;
  keys::build_key(head, route.recipe, {.authority = head.authority}, key);
  backends::EntryParts parts;
  parts.key = key.view().bytes;
  parts.hash = key.view().hash;
  parts.meta.response_ms = loop.now_ms();
  parts.fields.add("ETag", "\"v1\"");
  parts.fields.add("Content-Length", "4");
  parts.body = make_body("page");
  backends::store_unheard(site.store_of(route), backends::make_entry(std::move(parts)));
}

// Asks for the page again and again, from the other end of a socket pair on the same loop.
class Client final : public FdHandler {
 public:
  // Hits are the answers that hold `expected`.
  Client(EventLoop& loop, int fd, std::string_view request, std::string_view expected)
      : loop_(loop), fd_(fd), request_(request), expected_(expected), event_(loop, fd, *this) {
    event_.want(true, false);
    ask();
  }
  void on_fd(bool, bool) override {
    std::array<char, 1024> response;
    const ssize_t got = read(fd_, response.data(), response.size());
    if (got <= 0) return loop_.stop();
    hits_ += std::string_view(response.data(), static_cast<std::size_t>(got)).contains(expected_);
    if (++answers_ == kWarmUp) before_ = allocations.load();
    if (answers_ == kWarmUp + kCounted) {
      allocated_ = allocations.load() - before_;
      return loop_.stop();
    }
    ask();
  }
  int hits() const { return hits_; }
  std::uint64_t allocated() const { return allocated_; }

 private:
  void ask() {
    ASSERT_EQ(write(fd_, request_.data(), request_.size()), static_cast<ssize_t>(request_.size()));
  }

  EventLoop& loop_;
  const int fd_;
  const std::string_view request_;
  const std::string_view expected_;
  FdEvent event_;
  int answers_ = 0;
  int hits_ = 0;
  std::uint64_t before_ = 0;
  std::uint64_t allocated_ = UINT64_MAX;
};

// From the socket to the socket: parse, route, key, look-up, judgement and response come out of
// buffers that are there already.
void expect_no_allocation(std::string_view request, std::string_view expected) {
  EventLoop loop;
  flow::SharedTables tables(1 << 20, 7);
  flow::Fills fills(loop, tables);
  metrics::LoopCounts& counts = tables.counts.add_loop();
  flow::WorkerContext context{
      loop, tables, fills,
      std::make_shared<flow::LoopSite>(make_site(), loop, counts, std::make_shared<NoFetcher>())};
  flow::TransactionPool transactions(context);
  front::OpenClients clients;
  front::ServerOptions options;
  options.clients = &clients;
  options.counts = &counts;
  front::Server server(loop, options, transactions);
  store_page(*context.site, loop);

  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  server.accept(Fd(ends[0]), *SocketAddress::unix_path("/client"));
  Client client(loop, ends[1], request, expected);
  loop.run();

  EXPECT_EQ(client.hits(), kWarmUp + kCounted);
  EXPECT_EQ(client.allocated(), 0U);
  const metrics::Totals totals = tables.counts.total();
  EXPECT_EQ(totals.routes.at("all").requests_of(policy::Verdict::Hit),
            static_cast<std::uint64_t>(kWarmUp + kCounted));
  server.close_all();
  close(ends[1]);
}

TEST(Hit, AllocatesNothing) {
  expect_no_allocation(kRequest, "\r\n\r\npage");
}

TEST(Hit, ConfirmingTheClientsCopyAllocatesNothing) {
  expect_no_allocation(kConditionalRequest, "HTTP/1.1 304 Not Modified\r\n");
}

}  // namespace
}  // namespace weir
