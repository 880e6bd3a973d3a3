// A link to a real server: what it is told and when, while the server is slow, gone, back, or says
// what is no reply.
#include "backends/redis/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "base/executor.h"
#include "tests/support/redis_server.h"

namespace weir::backends::redis {
namespace {

using test::RedisServer;
using test::RedisSetup;
using testing::HasSubstr;

class LinkTest : public ::testing::Test, public LinkWatcher {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }  // as the program does
  void told(const Result<void>& news) override {
    news_.push_back(news ? "stands" : news.error().message);
  }
  void answered() override {}
  void failed(LinkFault, std::int64_t) override {}

  Link& open(ServerPlace place, LinkOptions options = {.timeout_ms = 10'000}) {
    link_ = std::make_unique<Link>(loop_, *resolver_, std::make_unique<FixedPlace>(place), options,
                                   this);
    return *link_;
  }
  static ServerPlace at(const RedisServer& server) {
    return {.host = "127.0.0.1", .port = server.port()};
  }

  // One command, as text: its reply, or what kept it from coming.
  struct Answer {
    std::optional<std::string> text;
    std::unique_ptr<PendingAnswer> handle;
  };
  static std::string text_of(const Link::Replies& replies) {
    if (!replies) return text_of(replies.error());
    std::string out;
    for (const Reply& reply : *replies) out.append(reply.bytes()).append(";");
    return out;
  }
  static std::string text_of(LinkFault fault) {
    switch (fault) {
      case LinkFault::Unreachable:
        return "unreachable";
      case LinkFault::Busy:
        return "busy";
      case LinkFault::Timeout:
        return "timeout";
      case LinkFault::Broken:
        return "broken";
    }
    return "";
  }
  std::shared_ptr<Answer> ask(std::initializer_list<std::string_view> words) {
    Commands commands;
    commands.add(words);
    return ask(commands);
  }
  std::shared_ptr<Answer> ask(const Commands& commands) {
    auto answer = std::make_shared<Answer>();
    auto call = link_->call(commands, [answer](const Link::Replies& replies, auto) {
      answer->text = text_of(replies);
    });
    EXPECT_FALSE(answer->text) << "never from within";
    if (call) {
      answer->handle = std::move(*call);
    } else {
      answer->text = text_of(call.error());
    }
    return answer;
  }
  std::string await(const std::shared_ptr<Answer>& answer) {
    while (!answer->text) loop_.turn();
    return *answer->text;
  }
  // Until it is reached again, however long it rests.
  std::string ask_until_answered(std::initializer_list<std::string_view> words) {
    while (true) {
      const std::string text = await(ask(words));
      if (text != "unreachable" && text != "timeout" && text != "broken") return text;
    }
  }

  EventLoop loop_;
  ThreadPool executor_{1};
  const std::unique_ptr<Resolver> resolver_ = make_system_resolver(executor_);
  std::vector<std::string> news_;
  std::unique_ptr<Link> link_;
};

TEST_F(LinkTest, AnswersInTheOrderOfTheCalls) {
  const RedisServer server;
  open(at(server));
  EXPECT_FALSE(link_->is_ready());
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 1'000; ++i) answers.push_back(ask({"ECHO", std::to_string(i)}));
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(await(answers[static_cast<std::size_t>(i)]), std::to_string(i) + ";");
  }
  EXPECT_TRUE(link_->is_ready());
  EXPECT_THAT(news_, testing::ElementsAre("stands"));
}

TEST_F(LinkTest, CommandsThatBelongTogetherAreAnsweredTogether) {
  const RedisServer server;
  open(at(server));
  Commands commands;
  commands.add({"SET", "a", "1"}).add({"GET", "a"}).add({"NONSENSE"}).add({"GET", "a"});
  EXPECT_THAT(await(ask(commands)), testing::MatchesRegex("OK;1;ERR .*;1;"));
}

TEST_F(LinkTest, CommandsOfOneTurnLeaveWithOneWrite) {
  // The server counts its reads: one for all of them but what was sent to connect.
  const RedisServer server;
  open(at(server));
  await(ask({"PING"}));
  test::RedisClient client = server.client();
  const auto reads = [&] {
    return std::stoll(client.must({"INFO", "stats"}).field("total_reads_processed"));
  };
  const long long before = reads();
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(ask({"PING"}));
  for (const auto& answer : answers) await(answer);
  EXPECT_LE(reads() - before, 4);
}

TEST_F(LinkTest, ReachesAServerByNameAddressAndPath) {
  const RedisServer server;
  const ServerPlace places[] = {{.host = "localhost", .port = server.port()},
                                {.host = "127.0.0.1", .port = server.port()},
                                {.unix_path = server.unix_path()}};
  for (const ServerPlace& place : places) {
    open(place);
    EXPECT_EQ(await(ask({"PING"})), "PONG;") << place.text();
  }
}

TEST_F(LinkTest, SaysWhoItIsAndWhichDatabaseItMeans) {
  const RedisServer server(
      RedisSetup{.lines = {"requirepass secret", "user ann on >pass ~* +@all"}});
  struct Row {
    const char* username;
    const char* password;
    unsigned db;
    const char* answer;
  };
  const Row rows[] = {{"", "secret", 0, "OK;"},        {"ann", "pass", 3, "OK;"},
                      {"", "wrong", 0, "unreachable"}, {"ann", "secret", 0, "unreachable"},
                      {"", "", 0, "unreachable"},      {"", "secret", 99, "unreachable"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.username) + "/" + row.password);
    news_.clear();
    ServerPlace place = at(server);
    place.username = row.username;
    place.password = row.password;
    place.db = row.db;
    open(place);
    EXPECT_EQ(await(ask({"SET", "a", "1"})), row.answer);
    ASSERT_EQ(news_.size(), 1U);
    if (row.answer == std::string("OK;")) {
      EXPECT_EQ(link_->why_apart(), "");
      continue;
    }
    EXPECT_THAT(news_[0], HasSubstr("it answers "));
    EXPECT_EQ(news_[0].find("secret"), std::string::npos);
  }
  test::RedisClient client = server.client();
  client.must({"SELECT", "3"});
  EXPECT_EQ(client.must({"GET", "a"}).text, "1");
}

TEST_F(LinkTest, SaysWhyAServerWantsNoMoreClients) {
  // It says so, and closes the connection, whether it has read anything or not.
  const RedisServer server(RedisSetup{.lines = {"maxclients 1"}});
  test::RedisClient the_one = server.client();
  the_one.must({"PING"});
  for (int i = 0; i < 20; ++i) {
    for (const ServerPlace& place : {at(server), ServerPlace{.unix_path = server.unix_path()}}) {
      news_.clear();
      open(place);
      EXPECT_EQ(await(ask({"PING"})), "unreachable");
      EXPECT_THAT(news_, testing::ElementsAre(HasSubstr("it answers ERR max number of clients")));
      EXPECT_EQ(link_->why_apart(), news_[0]);
    }
  }
}

TEST_F(LinkTest, WhereNobodyListensItRestsBetweenAttempts) {
  std::uint16_t port = 0;
  {
    const RedisServer gone;
    port = gone.port();
  }
  open({.host = "127.0.0.1", .port = port});
  EXPECT_EQ(await(ask({"PING"})), "unreachable");
  const auto at_once = ask({"PING"});
  EXPECT_EQ(at_once->text, "unreachable") << "without an attempt, and with the call";
  ASSERT_EQ(news_.size(), 1U);
  EXPECT_THAT(news_[0], HasSubstr("refused"));
}

TEST_F(LinkTest, ANameThatNobodyHasIsSaidToBeOne) {
  open({.host = "no-such-name.invalid", .port = 1});
  EXPECT_EQ(await(ask({"PING"})), "unreachable");
  ASSERT_EQ(news_.size(), 1U);
  EXPECT_THAT(news_[0], HasSubstr("no address is found for no-such-name.invalid"));
}

TEST_F(LinkTest, ALateReplyIsNobodysButItsOwn) {
  // The server sleeps beyond the first call's time; what follows gets its own answers.
  const RedisServer server;
  open(at(server), {.timeout_ms = 100});
  ask_until_answered({"PING"});
  const auto slow = ask({"DEBUG", "SLEEP", "0.3"});
  EXPECT_EQ(await(slow), "timeout");
  std::string text;
  while ((text = await(ask({"ECHO", "mine"}))) == "timeout") {
  }
  EXPECT_EQ(text, "mine;");
  EXPECT_EQ(*slow->text, "timeout");
  EXPECT_THAT(news_, testing::ElementsAre("stands")) << "the connection is the same one";
}

TEST_F(LinkTest, AServerThatHangsIsGivenUpAndFoundAgain) {
  RedisServer server;
  open(at(server), {.timeout_ms = 30});
  ask_until_answered({"PING"});
  server.pause();
  const std::int64_t began = loop_.now_ms();
  EXPECT_EQ(await(ask({"ECHO", "old"})), "timeout");
  EXPECT_GE(loop_.now_ms() - began, 30);
  while (link_->is_ready()) loop_.turn();  // it says nothing for a second
  EXPECT_THAT(news_.back(), HasSubstr("it has said nothing for a second"));
  server.go_on();
  EXPECT_EQ(ask_until_answered({"ECHO", "new"}), "new;");
  EXPECT_EQ(news_.back(), "stands");
}

TEST_F(LinkTest, WhoWaitsWhenTheServerDiesIsTold) {
  RedisServer server;
  open(at(server));
  await(ask({"PING"}));
  server.pause();
  const auto first = ask({"ECHO", "1"});
  const auto second = ask({"ECHO", "2"});
  server.kill();
  EXPECT_EQ(await(first), "broken");
  EXPECT_EQ(await(second), "broken");
  server.start_again();
  EXPECT_EQ(ask_until_answered({"ECHO", "3"}), "3;");
}

TEST_F(LinkTest, AConnectionThatWasIdleAndIsClosedIsNoFailure) {
  const RedisServer server;
  open(at(server));
  await(ask({"PING"}));
  server.client().must({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  while (link_->is_ready()) loop_.turn();
  EXPECT_EQ(await(ask({"ECHO", "again"})), "again;");
  EXPECT_THAT(news_, testing::ElementsAre("stands"));
}

TEST_F(LinkTest, WhoDropsHisHandleHearsNothing) {
  const RedisServer server;
  open(at(server));
  const auto dropped = ask({"SET", "a", "kept"});
  dropped->handle.reset();
  EXPECT_EQ(await(ask({"GET", "a"})), "kept;") << "it was carried out all the same";
  EXPECT_FALSE(dropped->text);
}

TEST_F(LinkTest, TakesNoMoreThanItMaySend) {
  RedisServer server;
  open(at(server), {.timeout_ms = 10'000, .most_unsent = 1'000});
  const std::string long_word(600, 'x');
  const auto taken = ask({"ECHO", long_word});
  EXPECT_EQ(ask({"ECHO", long_word})->text, "busy");
  EXPECT_EQ(await(taken), long_word + ";");
  EXPECT_EQ(await(ask({"ECHO", long_word})), long_word + ";");
}

TEST_F(LinkTest, LargeRepliesGoByTheirProgress) {
  // Longer than the time-out as a whole, never as long without a byte: eight of a megabyte.
  const RedisServer server;
  server.client().must({"SET", "large", std::string(1'000'000, 'x')});
  open(at(server), {.timeout_ms = 5'000, .while_silent = true});
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 8; ++i) answers.push_back(ask({"GET", "large"}));
  for (const auto& answer : answers) EXPECT_EQ(await(answer).size(), 1'000'001U);
}

// A server that says what is written here, whatever it is asked.
class Saying {
 public:
  explicit Saying(std::string words) : words_(std::move(words)), thread_([this] { run(); }) {}
  ~Saying() {
    listener_.shut_down();
    thread_.join();
  }
  ServerPlace place() const { return {.host = "127.0.0.1", .port = listener_.port()}; }

 private:
  void run() {
    while (true) {
      test::Socket peer = listener_.accept();
      if (!peer.is_open()) return;
      char buffer[4096];
      if (peer.receive(buffer, sizeof buffer, test::Deadline()) == 0) continue;
      peer.send_all(words_, test::Deadline());
      while (peer.receive(buffer, sizeof buffer, test::Deadline()) > 0) {
        // until the link has gone
      }
    }
  }

  const std::string words_;
  test::Socket listener_ = test::Socket::listen_tcp();
  std::thread thread_;
};

TEST_F(LinkTest, HalfAReplyIsNone) {
  // The rest of it never comes: who waits is told in his own time, and the link ends in its.
  const Saying server("+PONG\r\n$0\r\n\r\n$0\r\n\r\n$100\r\nhalf of");
  open(server.place(), {.timeout_ms = 50});
  EXPECT_EQ(await(ask({"GET", "a"})), "timeout");
  EXPECT_TRUE(link_->is_ready());
  while (link_->is_ready()) loop_.turn();
  EXPECT_THAT(news_.back(), HasSubstr("it has said nothing for a second"));
  link_.reset();
}

TEST_F(LinkTest, WhatIsNoReplyEndsTheConnection) {
  struct Row {
    const char* what;
    std::string words;
    const char* told;
  };
  const Row rows[] = {
      {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error"},
      {"a gigabyte", "$1073741824\r\n" + std::string(200'000, 'x'), "more bytes than any of ours"},
      {"an array of two thousand million", "*2000000000\r\n", "larger than any of ours"},
      {"more than was asked", "+PONG\r\n$0\r\n\r\n$0\r\n\r\n+X\r\n+Y\r\n",
       "it answers what was not asked"},
      {"that it is loading", "-LOADING it is\r\n-LOADING it is\r\n-LOADING it is\r\n", "LOADING"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    news_.clear();
    const Saying server(row.words);
    open(server.place(), {.timeout_ms = 10'000, .replies = {.bytes = 10'000, .elements = 10}});
    const std::string text = await(ask({"GET", "a"}));
    EXPECT_TRUE(text == "unreachable" || text == "broken" || text == "X;") << text;
    while (link_->is_ready()) loop_.turn();
    link_.reset();
    EXPECT_THAT(news_.back(), HasSubstr(row.told));
  }
}

}  // namespace
}  // namespace weir::backends::redis
