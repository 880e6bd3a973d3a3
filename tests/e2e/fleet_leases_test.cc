// Leases on values that lie in Redis: of all instances' callers one computes, and any instance
// knows the lease by its token.
#include <algorithm>

#include "tests/e2e/fleet_fixture.h"

namespace weir::test {
namespace {

class FleetLeases : public Fleet {
 protected:
  void SetUp() override {
    a_ = &add();
    b_ = &add();
  }
  static Client waiting(const WeirProcess& at, std::string_view name, std::string_view wait = "20s",
                        int receive_buffer = 0) {
    Client out(at.admin_port(), receive_buffer);
    out.send(Client::message(
        "GET", "/v1/keys/" + std::string(name) + "?lease=20s&wait=" + std::string(wait),
        {{"Host", "127.0.0.1"}}));
    return out;
  }
  // Nothing is left of the answer before.
  static void answers_once_more(Client& client) {
    const Response answer = client.get("/v1/keys/none", {{"Host", "127.0.0.1"}});
    EXPECT_EQ(answer.status, 404);
  }
  static std::string lease(const WeirProcess& at, std::string_view name,
                           std::string_view terms = "?lease=20s&wait=0") {
    const Response answer =
        ask_admin(at, "GET", "/v1/keys/" + std::string(name) + std::string(terms));
    return std::string(answer.fields.value("Weir-Lease"));
  }
  static int put(const WeirProcess& at, std::string_view name, std::string_view token,
                 std::string_view value = "computed") {
    const std::string of = token.empty() ? "" : "?lease=" + std::string(token);
    return ask_admin(at, "PUT", "/v1/keys/" + std::string(name) + of, value).status;
  }
  static Response get(const WeirProcess& at, std::string_view name) {
    return ask_admin(at, "GET", "/v1/keys/" + std::string(name));
  }

  WeirProcess* a_ = nullptr;
  WeirProcess* b_ = nullptr;
};

TEST_F(FleetLeases, OfAllCallersOneComputesAndTheOthersGetIt) {
  for (const std::size_t size : {std::size_t{8}, std::size_t{200'000}}) {
    const std::string name = "a" + std::to_string(size);
    const std::string value = patterned(size);
    std::vector<Client> callers;
    for (int i = 0; i < 20; ++i) callers.push_back(waiting(i % 2 == 0 ? *a_ : *b_, name));
    ASSERT_TRUE(eventually([&] { return std::ranges::any_of(callers, &Client::readable_now); }));
    const auto leads = std::ranges::find_if(callers, &Client::readable_now);
    const Response leader = leads->read();
    EXPECT_EQ(leader.status, 404);
    const std::string token(leader.fields.value("Weir-Lease"));
    ASSERT_FALSE(token.empty());
    callers.erase(leads);
    // By the instance that did not give it.
    for (const WeirProcess* const at : {a_, b_}) EXPECT_EQ(put(*at, name, "wrong"), 409);
    EXPECT_EQ(put(*a_, name, token.substr(token.size() - 1)), 409);
    EXPECT_EQ(std::ranges::count_if(callers, &Client::readable_now), 0);
    EXPECT_EQ(put(*b_, name, token, value), 204);
    for (Client& caller : callers) {
      const Response answer = caller.read();
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.body, value);
    }
    EXPECT_EQ(put(*a_, name, token, "late"), 409);
    EXPECT_EQ(get(*a_, name).body, value);
  }
}

TEST_F(FleetLeases, WhoCannotComputeHandsItOnToAnotherInstancesCaller) {
  const std::string token = lease(*a_, "a");
  ASSERT_FALSE(token.empty());
  EXPECT_EQ(lease(*b_, "a"), "") << "it is held";
  Client next = waiting(*b_, "a");
  EXPECT_EQ(ask_admin(*b_, "DELETE", "/v1/keys/a?lease=wrong").status, 409);
  EXPECT_EQ(ask_admin(*b_, "DELETE", "/v1/keys/a?lease=" + token).status, 204);
  const std::string other(next.read().fields.value("Weir-Lease"));
  EXPECT_FALSE(other.empty());
  EXPECT_EQ(put(*a_, "a", token), 409);
  EXPECT_EQ(put(*a_, "a", other), 204);
}

TEST_F(FleetLeases, WhoHasLeftGetsNone) {
  const std::string token = lease(*a_, "a");
  for (int i = 0; i < 5; ++i) {
    Client gone = waiting(i % 2 == 0 ? *a_ : *b_, "a");
    ASSERT_TRUE(eventually([&] { return waiting_at_port(a_->admin_port()) == 0; }));
    gone.hang_up();
  }
  Client next = waiting(*b_, "a");
  EXPECT_EQ(ask_admin(*a_, "DELETE", "/v1/keys/a?lease=" + token).status, 204);
  EXPECT_FALSE(next.read().fields.value("Weir-Lease").empty());
}

TEST_F(FleetLeases, AWaitEndsWithoutALeaseAndWithoutAValue) {
  ASSERT_FALSE(lease(*a_, "a").empty());
  for (const WeirProcess* const at : {a_, b_}) {
    const Response answer = ask_admin(*at, "GET", "/v1/keys/a?lease=20s&wait=400ms");
    EXPECT_EQ(answer.status, 404);
    EXPECT_TRUE(answer.fields.value("Weir-Lease").empty());
    EXPECT_EQ(get(*at, "a").status, 404) << "the connection goes on";
  }
}

TEST_F(FleetLeases, WhoLooksWhenHisTimeIsOverIsAnsweredOnce) {
  // The server hangs: whoever waits is asking it when his wait ends.
  ASSERT_FALSE(lease(*a_, "a").empty());
  std::vector<Client> callers;
  for (int i = 0; i < 8; ++i) callers.push_back(waiting(*a_, "a", "1s"));
  redis_->pause();
  for (Client& caller : callers) EXPECT_EQ(caller.read().status, 404);
  redis_->go_on();
  for (Client& caller : callers) answers_once_more(caller);
}

TEST_F(FleetLeases, WhoReadsAValueSlowlyIsAnsweredOnce) {
  // While it is being sent, the times pass at which a caller would look whether it is there, or
  // give up. They have begun one after another: some find it by looks of their own, the others are
  // told.
  const auto let_some_time_pass = [&](std::string_view wait) {
    const std::string ask = "/v1/keys/other?lease=20s&wait=" + std::string(wait);
    EXPECT_EQ(ask_admin(*a_, "GET", ask).status, 404);
  };
  ASSERT_FALSE(lease(*a_, "other").empty());
  const std::string value = patterned(1'000'000);
  const std::string token = lease(*a_, "a");
  std::vector<Client> callers;
  for (int i = 0; i < 40; ++i) {
    callers.push_back(waiting(*b_, "a", "2s", 4096));
    let_some_time_pass("6ms");
  }
  ASSERT_EQ(put(*a_, "a", token, value), 204);
  ASSERT_TRUE(eventually([&] { return std::ranges::all_of(callers, &Client::readable_now); }));
  let_some_time_pass("2s");
  for (Client& caller : callers) {
    EXPECT_EQ(caller.read().body, value);
    answers_once_more(caller);
  }
}

TEST_F(FleetLeases, OneThatIsOverGoesToTheNext) {
  ASSERT_FALSE(lease(*a_, "a", "?lease=300ms&wait=0").empty());
  Client next = waiting(*b_, "a");
  EXPECT_FALSE(next.read().fields.value("Weir-Lease").empty());
}

TEST_F(FleetLeases, AValueThatIsSetWithoutItEndsIt) {
  const std::string token = lease(*a_, "a");
  Client next = waiting(*a_, "a");
  EXPECT_EQ(put(*b_, "a", "", "set"), 204);
  EXPECT_EQ(next.read().body, "set");
  EXPECT_EQ(put(*a_, "a", token), 409);
  EXPECT_EQ(get(*b_, "a").body, "set");
}

TEST_F(FleetLeases, ClearsAndPurgesAtAnyInstanceVoidThem) {
  const struct {
    const char* method;
    const char* target;
    const char* body;
    bool voids;
  } rows[] = {
      {"DELETE", "/v1/keys/key", "", true},
      {"DELETE", "/v1/keys/k*", "", true},
      {"DELETE", "/v1/keys", "", true},
      {"POST", "/v1/purge", R"({"all": true})", true},
      {"DELETE", "/v1/keys/other", "", false},
      {"DELETE", "/v1/keys/o*", "", false},
      {"POST", "/v1/purge", R"({"prefix": "/"})", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.target) + row.body);
    const std::string token = lease(*a_, "key");
    ASSERT_FALSE(token.empty());
    EXPECT_EQ(ask_admin(*b_, row.method, row.target, row.body).status, 200);
    if (row.voids) {
      // All have heard of it, or the lease lay where it was erased.
      EXPECT_EQ(put(*a_, "key", token), 409);
      EXPECT_EQ(get(*a_, "key").status, 404);
    } else {
      EXPECT_EQ(put(*a_, "key", token), 204);
    }
    ask_admin(*a_, "DELETE", "/v1/keys/key");
    EXPECT_TRUE(eventually([&] { return get(*b_, "key").status == 404; }));
  }
}

TEST_F(FleetLeases, WithoutTheServerOneCallerOfEachInstanceComputes) {
  redis_->kill();
  const std::string token = lease(*a_, "a");
  EXPECT_FALSE(token.empty());
  EXPECT_FALSE(lease(*b_, "a").empty());
  EXPECT_EQ(put(*a_, "a", token), 503) << "it is not known whether it is held";
  EXPECT_EQ(ask_admin(*a_, "DELETE", "/v1/keys/a").status, 503) << "nor whether it has gone";
  EXPECT_EQ(ask_admin(*a_, "DELETE", "/v1/keys/a*").status, 503) << "nor what is there";
}

TEST_F(FleetLeases, WhatIsSetAfterAClearOfAllStays) {
  // Else it would be cleared when this instance reads of the clear in the fleet's log.
  const auto in = [](const char* backend) { return "/v1/keys/a?backend=" + std::string(backend); };
  ASSERT_TRUE(eventually([&] { return purge(*a_, R"({"prefix": "/"})").status == 200; }));
  ASSERT_FALSE(lease(*b_, "a", "?backend=ram&lease=20s&wait=0").empty());
  Client clearing(a_->admin_port());
  redis_->pause();
  clearing.send(Client::message("DELETE", "/v1/keys", {{"Host", "127.0.0.1"}}));
  EXPECT_EQ(ask_admin(*b_, "GET", in("ram") + "&lease=20s&wait=300ms").status, 404);
  EXPECT_FALSE(clearing.readable_now()) << "the others have not heard of it";
  redis_->go_on();
  EXPECT_EQ(clearing.read().status, 200);
  for (const char* const backend : {"ram", "redis"}) {
    EXPECT_EQ(ask_admin(*a_, "PUT", in(backend), "x").status, 204);
  }
  EXPECT_EQ(purge(*a_, R"({"prefix": "/"})").status, 200);  // all that was before it is read
  for (const char* const backend : {"ram", "redis"}) {
    EXPECT_EQ(ask_admin(*a_, "GET", in(backend)).body, "x") << backend;
  }
  EXPECT_EQ(get(*b_, "a").body, "x");
}

TEST_F(FleetLeases, OneThatEndedElsewhereIsGivenAgainAtOnce) {
  // Set for a second by the other instance, which did not give it.
  const std::string token = lease(*a_, "a");
  EXPECT_EQ(ask_admin(*b_, "PUT", "/v1/keys/a?duration=1&lease=" + token, "x").status, 204);
  EXPECT_TRUE(eventually([&] { return get(*a_, "a").status == 404; }));
  EXPECT_FALSE(lease(*a_, "a").empty());
}

TEST_F(FleetLeases, WhatIsComputedAfterAClearMayBeStored) {
  const std::string token = lease(*a_, "a");
  Client next = waiting(*b_, "a");
  ASSERT_TRUE(eventually([&] { return waiting_at_port(b_->admin_port()) == 0; }));
  ask_admin(*a_, "DELETE", "/v1/keys");
  ask_admin(*a_, "DELETE", "/v1/keys/a?lease=" + token);
  const std::string other(next.read().fields.value("Weir-Lease"));
  ASSERT_FALSE(other.empty());
  EXPECT_EQ(put(*b_, "a", other), 204);
}

}  // namespace
}  // namespace weir::test
