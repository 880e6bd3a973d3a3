// Leases: one computes a value that is not there, and the others wait for it.
#include <algorithm>
#include <vector>

#include "tests/e2e/keys_fixture.h"

namespace weir::test {
namespace {

class Leases : public Keys {};

TEST_F(Leases, OfAThousandWhoAskAtOnceOneComputesAndTheOthersWait) {
  raise_fd_limit();
  run();
  std::vector<Client> callers;
  for (int i = 0; i < 1000; ++i) callers.emplace_back(weir().admin_port());
  const std::string ask_once =
      Client::message("GET", "/v1/keys/a?lease=10s&wait=30s", {{"Host", "127.0.0.1"}});
  for (Client& caller : callers) caller.send(ask_once);
  ASSERT_TRUE(eventually([&] {
    return waiting_at_port(weir().admin_port()) == 0 &&
           std::ranges::any_of(callers, &Client::readable_now);
  }));
  const auto leads = std::ranges::find_if(callers, &Client::readable_now);
  const Response leader = leads->read();
  EXPECT_EQ(leader.status, 404);
  const std::string token(leader.fields.value("Weir-Lease"));
  ASSERT_FALSE(token.empty());
  callers.erase(leads);
  EXPECT_EQ(ask("PUT", "/v1/keys/a?lease=wrong", "x").status, 409);
  EXPECT_EQ(std::ranges::count_if(callers, &Client::readable_now), 0);

  EXPECT_EQ(ask("PUT", "/v1/keys/a", "computed", {{"Weir-Lease", token}}).status, 204);
  int served = 0;
  for (Client& caller : callers) {
    const Response answer = caller.read();
    if (answer.status == 200 && answer.body == "computed") ++served;
  }
  EXPECT_EQ(served, 999);
  EXPECT_EQ(ask("PUT", "/v1/keys/a?lease=" + token, "late").status, 409);
  EXPECT_EQ(get("a").body, "computed");
}

TEST_F(Leases, WhoCannotComputeHandsTheLeaseOn) {
  run();
  const std::string token(get("a", "?lease=10s").fields.value("Weir-Lease"));
  Client next(weir().admin_port());
  next.send(Client::message("GET", "/v1/keys/a?lease=10s&wait=30s", {{"Host", "127.0.0.1"}}));
  EXPECT_EQ(ask("DELETE", "/v1/keys/a?lease=wrong").status, 409);
  EXPECT_EQ(ask("DELETE", "/v1/keys/a?lease=" + token).status, 204);
  const Response given = next.read();
  EXPECT_EQ(given.status, 404);
  const std::string other(given.fields.value("Weir-Lease"));
  EXPECT_FALSE(other.empty());
  EXPECT_NE(other, token);
  // A clear voids it.
  ask("DELETE", "/v1/keys/a");
  EXPECT_EQ(ask("PUT", "/v1/keys/a?lease=" + other, "old").status, 409);
  EXPECT_EQ(get("a").status, 404);
}

TEST_F(Leases, WhoHasLeftGetsNoLease) {
  // A worker that was killed has closed its connection, and would hold the lease for nothing.
  run();
  const std::string token(get("a", "?lease=30s").fields.value("Weir-Lease"));
  const std::string ask_once =
      Client::message("GET", "/v1/keys/a?lease=30s&wait=30s", {{"Host", "127.0.0.1"}});
  const int before = weir().figures().open_fds;
  std::vector<Client> gone;
  for (int i = 0; i < 5; ++i) {
    gone.emplace_back(weir().admin_port()).send(ask_once);
    if (i % 2 == 0) gone.back().shut_down_sending();
  }
  const auto all_taken = [&] { return waiting_at_port(weir().admin_port()) == 0; };
  ASSERT_TRUE(eventually(all_taken));
  for (Client& one : gone) one.hang_up();
  ASSERT_TRUE(eventually([&] { return weir().figures().open_fds <= before; }));
  Client next(weir().admin_port());
  next.send(ask_once);
  ASSERT_TRUE(eventually(all_taken));
  EXPECT_EQ(ask("DELETE", "/v1/keys/a?lease=" + token).status, 204);
  EXPECT_FALSE(next.read().fields.value("Weir-Lease").empty());
}

TEST_F(Leases, AValueThatIsRefusedHandsTheLeaseOn) {
  run("backends: { ram: { type: ram, max_object_size: 1KiB } }\n");
  const std::string token(get("a", "?lease=30s").fields.value("Weir-Lease"));
  Client next(weir().admin_port());
  next.send(Client::message("GET", "/v1/keys/a?lease=10s&wait=30s", {{"Host", "127.0.0.1"}}));
  EXPECT_EQ(put("a", numbered(1, 2'000), "?lease=" + token).status, 413);
  EXPECT_FALSE(next.read().fields.value("Weir-Lease").empty());
}

TEST_F(Leases, AnEmptyLeaseIsNone) {
  run();
  const std::string token(get("a", "?lease=30s").fields.value("Weir-Lease"));
  EXPECT_EQ(put("a", "x", "?lease=").status, 409);
  EXPECT_EQ(ask("PUT", "/v1/keys/a", "x", {{"Weir-Lease", ""}}).status, 409);
  EXPECT_EQ(get("a").status, 404);
  EXPECT_EQ(put("a", "y", "?lease=" + token).status, 204);
}

TEST_F(Leases, ClearsAndPurgesVoidLeases) {
  run_with_disk();
  const struct {
    std::string_view method;
    std::string_view target;
    std::string_view body;
    bool voids;
  } rows[] = {
      {"DELETE", "/v1/keys/user:*", "", true},
      {"DELETE", "/v1/keys/user:7", "", true},
      {"DELETE", "/v1/keys", "", true},
      {"DELETE", "/v1/keys?backend=disk", "", true},
      {"POST", "/v1/purge", R"({"all": true})", true},
      {"DELETE", "/v1/keys/shop:*", "", false},
      {"DELETE", "/v1/keys?backend=ram", "", false},
      {"POST", "/v1/purge", R"({"prefix": "/"})", false},
  };
  for (const auto& row : rows) {
    const std::string token(get("user:7", "?lease=30s").fields.value("Weir-Lease"));
    ASSERT_FALSE(token.empty()) << row.target;
    EXPECT_EQ(ask(row.method, row.target, row.body).status, 200);
    EXPECT_EQ(put("user:7", "old", "?lease=" + token).status, row.voids ? 409 : 204) << row.target;
    EXPECT_EQ(get("user:7").status, row.voids ? 404 : 200) << row.target;
    ask("DELETE", "/v1/keys/user:7");
  }
}

TEST_F(Leases, ALeaseEndsByItselfAndSoDoesTheWait) {
  run();
  ASSERT_FALSE(get("a", "?lease=300ms").fields.value("Weir-Lease").empty());
  const Response waited = get("a", "?lease=10s&wait=1ms");
  EXPECT_EQ(waited.status, 404);
  EXPECT_TRUE(waited.fields.value("Weir-Lease").empty());
  EXPECT_FALSE(get("a", "?lease=10s&wait=30s").fields.value("Weir-Lease").empty());
}

}  // namespace
}  // namespace weir::test
