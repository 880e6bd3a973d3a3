#include "tests/conformance/backend_suite.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace weir::backends::testing {
namespace {

TEST_P(BackendSuite, MissesWhatWasNeverStored) {
  // An empty backend answers every key with a miss, and erasing it is no error.
  EXPECT_EQ(body_at("a"), std::nullopt);
  erase("a");
  backend().clear();
  EXPECT_EQ(body_at("a"), std::nullopt);
}

TEST_P(BackendSuite, ReturnsWhatWasStored) {
  // Everything that an entry says survives: key, facts, fields in order, body.
  Entry::Parts parts;
  parts.key = "k";
  parts.hash = hash128("k");
  parts.meta.status = 404;
  parts.meta.response_ms = 1234567;
  parts.meta.initial_age_s = 7;
  parts.meta.lifetime_s = 60;
  parts.meta.stale_if_error_s = 30;
  parts.meta.must_revalidate = true;
  parts.meta.shared_with_personal = true;
  parts.meta.seq = 42;
  parts.fields.add("ETag", "\"1\"");
  parts.fields.add("X-Twice", "a");
  parts.fields.add("X-Twice", "b");
  parts.body = make_body("hello");
  backend().store(make_ref<Entry>(std::move(parts)));

  const EntryRef found = find("k");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind(), Entry::Kind::Response);
  EXPECT_EQ(found->key(), key_of("k"));
  EXPECT_EQ(found->meta().status, 404);
  EXPECT_EQ(found->meta().response_ms, 1234567);
  EXPECT_EQ(found->meta().initial_age_s, 7);
  EXPECT_EQ(found->meta().lifetime_s, 60);
  EXPECT_EQ(found->meta().stale_while_revalidate_s, std::nullopt);
  EXPECT_EQ(found->meta().stale_if_error_s, 30);
  EXPECT_FALSE(found->meta().validate_always);
  EXPECT_TRUE(found->meta().must_revalidate);
  EXPECT_TRUE(found->meta().shared_with_personal);
  EXPECT_EQ(found->meta().seq, 42U);
  ASSERT_EQ(found->fields().size(), 3U);
  EXPECT_EQ(found->fields()[0].value, "\"1\"");
  EXPECT_EQ(found->fields()[1].value, "a");
  EXPECT_EQ(found->fields()[2].name, "X-Twice");
  EXPECT_EQ(found->fields()[2].value, "b");
  EXPECT_EQ(text_of(*found), "hello");
}

TEST_P(BackendSuite, ReturnsMarkers) {
  // A marker of variants keeps its names and its variants.
  Entry::Parts parts;
  parts.kind = Entry::Kind::VaryMarker;
  parts.key = "page";
  parts.hash = hash128("page");
  parts.vary = {"accept-encoding", "origin"};
  parts.variants = {"page+gzip", std::string("page+\0", 6)};
  backend().store(make_ref<Entry>(std::move(parts)));

  const EntryRef found = find("page");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind(), Entry::Kind::VaryMarker);
  EXPECT_EQ(found->vary(), (std::vector<std::string>{"accept-encoding", "origin"}));
  EXPECT_EQ(found->variants(), (std::vector<std::string>{"page+gzip", std::string("page+\0", 6)}));
}

TEST_P(BackendSuite, KeysAndBodiesAreBytes) {
  // Zero bytes, line ends and an empty body come back as they were.
  const std::string key("a\0\r\n\xff b", 7);
  const std::string body("\0\n\0", 3);
  store(key, body);
  store("empty", "");
  EXPECT_EQ(body_at(key), body);
  EXPECT_EQ(body_at("empty"), "");
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at(key.substr(0, 6)), std::nullopt);
}

TEST_P(BackendSuite, BodiesOfManyPieces) {
  // A body that arrived in pieces, the last one's chunk not full, is returned whole.
  Body body;
  std::string expected;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const Ref<Chunk> chunk = Chunk::allocate(100);
    std::fill_n(chunk->free_space().data(), 60, letter);
    chunk->advance(60);
    body.append({chunk, 50});
    expected.append(50, letter);
  }
  backend().store(entry_with(key_of("pieces"), std::move(body)));
  EXPECT_EQ(body_at("pieces"), expected);
}

TEST_P(BackendSuite, EqualHashesAreNotEqualKeys) {
  // Two keys forced to one hash never answer for each other, and erasing one spares the other.
  const Hash128 hash{7, 7};
  const keys::KeyView one{"one", hash};
  const keys::KeyView two{"two", hash};
  backend().store(entry_with(one, make_body("1")));
  EXPECT_FALSE(look_up(backend(), two, loop_));
  backend().erase(two);
  ASSERT_TRUE(look_up(backend(), one, loop_));

  backend().store(entry_with(two, make_body("2")));
  const EntryRef found_two = look_up(backend(), two, loop_);
  ASSERT_TRUE(found_two);
  EXPECT_EQ(text_of(*found_two), "2");
  // The first may have had to leave, but is never the second.
  const EntryRef found_one = look_up(backend(), one, loop_);
  EXPECT_TRUE(!found_one || text_of(*found_one) == "1");
}

TEST_P(BackendSuite, ReplacesUnderTheSameKey) {
  // The last store wins, whether the new entry is longer or shorter.
  store("a", "first");
  store("a", "the second, longer");
  EXPECT_EQ(body_at("a"), "the second, longer");
  store("a", "3");
  EXPECT_EQ(body_at("a"), "3");
  if (delegate_->counts_objects()) {
    EXPECT_EQ(backend().stats().objects, 1U);
  }
}

TEST_P(BackendSuite, ErasesOneKey) {
  // The erased key misses, its neighbour stays, and the key may be stored again.
  store("a", "1");
  store("b", "2");
  erase("a");
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at("b"), "2");
  store("a", "3");
  EXPECT_EQ(body_at("a"), "3");
}

TEST_P(BackendSuite, ClearsAll) {
  // After clear() nothing is found or counted, and the backend goes on.
  for (int i = 0; i < 100; ++i) store("key" + std::to_string(i), "x");
  backend().clear();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(body_at("key" + std::to_string(i)), std::nullopt);
  if (delegate_->counts_objects()) {
    EXPECT_EQ(backend().stats().objects, 0U);
  }
  store("key0", "again");
  EXPECT_EQ(body_at("key0"), "again");
}

TEST_P(BackendSuite, EntriesOutliveTheirPlace) {
  // A reader keeps what it found, unchanged, through replacement, erasure and clear.
  store("a", "old");
  const EntryRef before = find("a");
  ASSERT_TRUE(before);
  store("a", "new");
  const EntryRef after = find("a");
  ASSERT_TRUE(after);
  erase("a");
  backend().clear();
  EXPECT_EQ(text_of(*before), "old");
  EXPECT_EQ(text_of(*after), "new");
}

TEST_P(BackendSuite, StoringTheSameObjectTwice) {
  // An entry found may be stored again, before and after it was erased.
  store("a", "1");
  const EntryRef entry = find("a");
  ASSERT_TRUE(entry);
  backend().store(entry);
  EXPECT_EQ(body_at("a"), "1");
  erase("a");
  EXPECT_EQ(body_at("a"), std::nullopt);
  backend().store(entry);
  EXPECT_EQ(body_at("a"), "1");
}

TEST_P(BackendSuite, RefusesWhatIsTooLarge) {
  // A body of exactly max_object_size is stored, one byte more is not and disturbs nothing.
  const std::uint64_t most = backend().max_object_size();
  ASSERT_GE(most, kMaxObjectSize);
  store("other", "1");
  backend().store(entry_of_size("fits", most));
  backend().store(entry_of_size("large", most + 1));
  const EntryRef fits = find("fits");
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->body().size(), most);
  EXPECT_FALSE(find("large"));
  EXPECT_EQ(body_at("other"), "1");
}

TEST_P(BackendSuite, LookupNowAgrees) {
  // lookup_now() answers the same as lookup() or nothing, and everything where it says so.
  store("a", "1");
  const EntryRef now = backend().lookup_now(key_of("a"));
  if (delegate_->answers_now()) {
    ASSERT_TRUE(now);
  }
  if (now) {
    EXPECT_EQ(text_of(*now), "1");
  }
  EXPECT_FALSE(backend().lookup_now(key_of("b")));
  erase("a");
  EXPECT_FALSE(backend().lookup_now(key_of("a")));
}

TEST_P(BackendSuite, AnswersOnceAndNeverFromWithin) {
  // Hit and Miss carry their result and stay silent; Pending calls the waiter once, later.
  store("a", "1");
  for (const char* key : {"a", "absent"}) {
    RecordingWaiter waiter;
    const Lookup answer = backend().lookup(key_of(key), loop_, waiter);
    EXPECT_EQ(waiter.answers, 0);
    EXPECT_EQ(answer.status == Lookup::Status::Pending, answer.pending != nullptr);
    EXPECT_EQ(answer.status == Lookup::Status::Hit, static_cast<bool>(answer.entry));
    const int expected = answer.status == Lookup::Status::Pending ? 1 : 0;
    while (waiter.answers < expected) turn(loop_);
    turn(loop_);
    EXPECT_EQ(waiter.answers, expected);
  }
}

TEST_P(BackendSuite, DroppingTheHandleCancels) {
  // A dropped look-up never calls its waiter; one asked after it is answered nevertheless.
  store("a", "1");
  RecordingWaiter dropped;
  backend().lookup(key_of("a"), loop_, dropped).pending.reset();
  EXPECT_EQ(body_at("a"), "1");
  turn(loop_);
  EXPECT_EQ(dropped.answers, 0);
}

TEST_P(BackendSuite, ManyLookupsAtOnce) {
  // Look-ups under way at the same time each get their own answer; the keys' bytes may be gone.
  constexpr int kKeys = 50;
  for (int i = 0; i < kKeys; i += 2) store("key" + std::to_string(i), std::to_string(i));
  std::vector<RecordingWaiter> waiters(kKeys);
  std::vector<Lookup> answers;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "key" + std::to_string(i);
    answers.push_back(backend().lookup(key_of(key), loop_, waiters[static_cast<std::size_t>(i)]));
  }
  for (int i = 0; i < kKeys; ++i) {
    Lookup& answer = answers[static_cast<std::size_t>(i)];
    RecordingWaiter& waiter = waiters[static_cast<std::size_t>(i)];
    while (answer.status == Lookup::Status::Pending && waiter.answers == 0) turn(loop_);
    const EntryRef entry = answer.entry ? answer.entry : waiter.entry;
    ASSERT_EQ(static_cast<bool>(entry), i % 2 == 0) << i;
    if (entry) {
      EXPECT_EQ(text_of(*entry), std::to_string(i));
    }
  }
}

TEST_P(BackendSuite, CountsWhatItDoes) {
  // Hits, misses and stores appear in the statistics, and stored bytes are charged.
  const BackendStats before = backend().stats();
  store("a", std::string(1000, 'x'));
  find("a");
  find("a");
  find("absent");
  const BackendStats after = backend().stats();
  EXPECT_EQ(after.stores - before.stores, 1U);
  EXPECT_EQ(after.hits - before.hits, 2U);
  EXPECT_EQ(after.misses - before.misses, 1U);
  EXPECT_GE(after.bytes - before.bytes, 1000U);
  if (delegate_->counts_objects()) {
    EXPECT_EQ(after.objects, 1U);
  }
}

TEST_P(BackendSuite, ThreadsShareIt) {
  // Threads that store, look up, erase and clear at the same time find whole entries of the key
  // that they asked for, or none.
  std::atomic<int> wrong{0};
  const auto work = [&](unsigned seed) {
    EventLoop loop;
    for (unsigned i = 0; i < 300; ++i) {
      const std::string key = "key" + std::to_string((i * 7 + seed) % 13);
      switch ((i + seed) % 5) {
        case 0:
        case 1:
          backend().store(entry_of(key, key + " of " + std::to_string(seed)));
          break;
        case 2:
          if (i % 15 == 0) backend().erase(key_of(key));
          if (i % 100 == 99) backend().clear();
          break;
        default: {
          const EntryRef found = look_up(backend(), key_of(key), loop);
          if (found && (found->key().bytes != key || !text_of(*found).starts_with(key + " of "))) {
            ++wrong;
          }
        }
      }
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
  threads.clear();
  EXPECT_EQ(wrong, 0);
  store("after", "1");
  EXPECT_EQ(body_at("after"), "1");
}

}  // namespace
}  // namespace weir::backends::testing
