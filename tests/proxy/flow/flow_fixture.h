// The flow between a client and an app by hand, over a store that answers when the test says so, on
// a loop and a clock by hand. A test reads as: visit, app answers, turn, expect.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/tiered.h"
#include "proxy/flow/transaction.h"
#include "tests/backends/scripted_backend.h"
#include "tests/proxy/flow/site_of.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_exchange.h"
#include "tests/support/scripted_fetcher.h"

namespace weir::flow {

using test::HeadLines;

// A client with its request, until it leaves.
class Visitor {
 public:
  Visitor(WorkerContext& context, const std::string& text)
      : exchange_(context.loop, text), transaction_(context) {
    transaction_.start(exchange_);
  }
  ~Visitor() { leave(); }
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  // The client hangs up, or has had its answer.
  void leave() {
    if (!std::exchange(gone_, true)) transaction_.finished();
  }
  test::ScriptedExchange* operator->() { return &exchange_; }
  const Transaction& transaction() const { return transaction_; }

 private:
  test::ScriptedExchange exchange_;
  Transaction transaction_;
  bool gone_ = false;
};

class FlowTest : public testing::Test {
 protected:
  enum class Tiers : std::uint8_t { Ram, Slow, RamAndSlow };
  static constexpr std::uint64_t kFillMemory = 1024 * 1024;
  static constexpr std::uint64_t kMaxObjectSize = 256 * 1024;

  FlowTest() { use({}, Tiers::Ram); }

  // One route over everything with this rule, and fresh stores.
  void use(conf::CacheRule rule, Tiers tiers) {
    rule_ = rule;
    std::shared_ptr<backends::Backend> ram =
        backends::make_ram_backend({.max_object_size = kMaxObjectSize});
    slow_ = std::make_shared<backends::testing::ScriptedBackend>(kMaxObjectSize);
    std::vector<std::shared_ptr<backends::Backend>> used;
    if (tiers != Tiers::Slow) used.push_back(ram);
    if (tiers != Tiers::Ram) used.push_back(slow_);
    backend_ = backends::make_tiered(std::move(used));
    site_ = std::make_shared<LoopSite>(
        site_of({{.path = "/**", .cached = true, .rule = std::move(rule)}}, backend_), loop_,
        tables_.counts.add_loop(), fetcher_);
    context_ = std::unique_ptr<WorkerContext>(new WorkerContext{loop_, tables_, fills_, site_});
  }

  static std::string get(const std::string& target, const std::string& lines = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: app.test\r\n" + lines + "\r\n";
  }
  std::unique_ptr<Visitor> visit(const std::string& target, const std::string& lines = "") {
    return std::make_unique<Visitor>(*context_, get(target, lines));
  }
  std::unique_ptr<Visitor> sends(const std::string& text) {
    return std::make_unique<Visitor>(*context_, text);
  }
  test::Asked& app() { return app_.last(); }

  void turn() { loop_.turn(); }
  // The slower tier, on hold, answers what it was asked, and what it is asked because of that.
  void release_look_up() {
    while (slow_->waiting() > 0) {
      slow_->release();
      turn();
    }
  }
  void pass_time(std::int64_t ms) { test::advance_and_turn(loop_, clock_, ms); }

  // Has the app's answer to `target` in the stores.
  void fill_with(const std::string& target, const HeadLines& lines,
                 std::string_view body = "page") {
    const auto first = visit(target);
    turn();
    app().answers(200, lines, body);
    turn();
    (*first)->read();
    ASSERT_EQ((*first)->body(), body);
  }
  // As after a restart: the slower tier has what it had, memory nothing.
  void forget_memory() {
    const std::shared_ptr<backends::Backend> ram =
        backends::make_ram_backend({.max_object_size = kMaxObjectSize});
    backend_ = backends::make_tiered({ram, slow_});
    site_ = std::make_shared<LoopSite>(
        site_of({{.path = "/**", .cached = true, .rule = rule_}}, backend_), loop_,
        tables_.counts.add_loop(), fetcher_);
    context_ = std::unique_ptr<WorkerContext>(new WorkerContext{loop_, tables_, fills_, site_});
  }
  // What a client who comes now is answered at once; empty when it has to wait.
  std::string status_now(const std::string& target, const std::string& lines = "") {
    const auto visitor = visit(target, lines);
    return (*visitor)->cache_status();
  }

  test::FakeClock clock_;
  EventLoop loop_{clock_};
  test::ScriptedFetcher app_{clock_};
  SharedTables tables_{kFillMemory, 7};
  const std::shared_ptr<upstream::Fetcher> fetcher_{std::shared_ptr<void>(), &app_};
  Fills fills_{loop_, tables_};
  std::shared_ptr<backends::testing::ScriptedBackend> slow_;
  std::shared_ptr<backends::Backend> backend_;
  conf::CacheRule rule_;
  std::shared_ptr<LoopSite> site_;
  std::unique_ptr<WorkerContext> context_;
};

// An answer of a cacheable kind.
inline const HeadLines kFreshLines = {{"Cache-Control", "max-age=60"}};

}  // namespace weir::flow
