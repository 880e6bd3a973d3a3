// One HTTP/1.1 session between a scripted client and a scripted handler, on a loop and a clock by
// hand: every wait is a call of passes(), every byte is where the test put it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/front/h1_session.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_connection.h"
#include "tests/support/scripted_handler.h"

namespace weir::front {

class H1SessionTest : public testing::Test, protected SessionOwner {
 protected:
  // A request of no body.
  static std::string get(std::string_view path = "/", std::string_view fields = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.test\r\n" + std::string(fields) +
           "\r\n";
  }
  // The head of one with a body of `bytes`, and as much of it as `body` is.
  static std::string post(std::size_t bytes, std::string_view body = {},
                          std::string_view fields = {}) {
    return "POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n" + std::string(fields) + "\r\n" + std::string(body);
  }
  static std::string post_chunked(std::string_view chunks) {
    return "POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
           std::string(chunks);
  }
  // What ScriptedHandler::answers(200, body) looks like.
  static std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

  // A client connects. Limits are changed before.
  void connect(Peer peer = {.ip = "192.0.2.1"}) {
    session_ = factory_->make(client.connection(), std::move(peer));
    session_->begin();
    settle();
  }
  // It connects, if it has not yet, and sends this; everything that follows at once has happened
  // when the call returns.
  void client_sends(std::string_view bytes) {
    if (!session_ && !client.gone()) connect();
    client.sends(bytes);
    settle();
  }
  void client_half_closes() {
    client.half_closes();
    settle();
  }
  void client_resets() {
    client.resets();
    settle();
  }
  void client_takes(std::size_t bytes) {
    client.takes(bytes);
    settle();
  }
  void client_takes_all() {
    client.takes_all();
    settle();
  }
  void server_drains() {
    context_.draining = true;
    if (session_) session_->drain();
    settle();
  }
  // The handler of the request served last does this, outside of any call of the session's.
  template <class Act>
  void handler_does(const Act& act) {
    act(handlers.last());
    settle();
  }
  void handler_answers(int status, std::string_view body = {}) {
    handler_does([&](test::ScriptedHandler& handler) { handler.answers(status, body); });
  }
  // Time goes by, and with it whatever is due.
  void passes(std::int64_t ms) {
    settle();
    test::advance_and_turn(loop, clock, ms);
    settle();
  }

  // What has come since the last look, byte for byte.
  void expect_response(std::string_view bytes) { EXPECT_EQ(client.received(), bytes); }
  void expect_nothing() { expect_response(""); }
  // An answer of Weir's own: its status and the word that says why.
  void expect_refusal(int status, std::string_view detail) {
    const std::string got = client.received();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << got;
    EXPECT_TRUE(got.ends_with("\ndetail=" + std::string(detail) + "\n")) << got;
    EXPECT_NE(got.find("\r\nCache-Status: weir; detail=" + std::string(detail) + "\r\n"), got.npos)
        << got;
  }
  void expect_open() {
    EXPECT_FALSE(client.sees_end());
    EXPECT_NE(session_, nullptr);
  }
  // A goodbye was sent; the session is there still, to see that the client hears it.
  void expect_goodbye() {
    EXPECT_TRUE(client.sees_end());
    EXPECT_FALSE(client.gone());
    EXPECT_NE(session_, nullptr);
  }
  // The connection is dropped, and every handler was told.
  void expect_gone() {
    EXPECT_TRUE(client.gone());
    EXPECT_EQ(session_, nullptr);
    EXPECT_EQ(handlers.started, handlers.finished);
  }

  test::FakeClock clock;
  EventLoop loop{clock};
  conf::Limits limits;
  test::ScriptedHandlers handlers;
  test::ScriptedClient client;
  int spent = 0;  // how often a session has said so

 private:
  void is_spent(Session& session) override {
    EXPECT_EQ(&session, session_.get());
    ++spent;
  }
  void remove(Session& session) override {
    ASSERT_EQ(&session, session_.get());
    session_.reset();
  }
  void settle() {
    ASSERT_TRUE(client.deliver()) << "the session spins";
    loop.turn();
    ASSERT_TRUE(client.deliver()) << "the session spins";
    std::ranges::fill(batch_.room(),
                      '!');  // another session's turn: whoever still looks there reads this
  }

 protected:
  AnswerBatch batch_{loop};
  SessionContext context_{.loop = loop,
                          .owner = *this,
                          .handlers = handlers,
                          .limits = limits,
                          .trusted_fields = {},
                          .ignored_fields = nullptr,
                          .access_log = nullptr,
                          .batch = batch_};
  std::unique_ptr<SessionFactory> factory_ = make_h1_factory(context_);
  std::unique_ptr<Session> session_;
};

}  // namespace weir::front
