#include "tests/conformance/backend_suite.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <tuple>
#include <vector>

namespace weir::backends::testing {
namespace {

TEST_P(BackendSuite, MissesWhatWasNeverStored) {
  // An empty backend answers every key with a miss, and erasing it is no error.
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_TRUE(says_absent(erase("a")));
  clear();
  EXPECT_EQ(body_at("a"), std::nullopt);
}

TEST_P(BackendSuite, ReturnsWhatWasStored) {
  // Everything that an entry says survives: key, facts, fields in order, body.
  EntryParts parts;
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
  parts.status_line = "HTTP/1.1 404 Not Here\r\n";
  parts.fields.add("ETag", "\"1\"");
  parts.fields.add("X-Twice", "a");
  parts.fields.add("X-Twice", "b");
  parts.fields.add("Content-Length", "5");
  parts.body = make_body("hello");
  EXPECT_EQ(store(make_entry(std::move(parts))), StoreResult::Stored);

  const EntryRef found = find("k");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind(), Entry::Kind::Response);
  EXPECT_EQ(found->key(), key_of("k"));
  EXPECT_EQ(found->meta().status, 404);
  EXPECT_NEAR(static_cast<double>(found->meta().response_ms), 1234567,
              static_cast<double>(delegate_->time_differs_ms()));
  EXPECT_EQ(found->meta().initial_age_s, 7);
  EXPECT_EQ(found->meta().lifetime_s, 60);
  EXPECT_EQ(found->meta().stale_while_revalidate_s, std::nullopt);
  EXPECT_EQ(found->meta().stale_if_error_s, 30);
  EXPECT_FALSE(found->meta().validate_always);
  EXPECT_TRUE(found->meta().must_revalidate);
  EXPECT_TRUE(found->meta().shared_with_personal);
  EXPECT_EQ(found->meta().seq, 42U);
  EXPECT_EQ(found->status_line(), "HTTP/1.1 404 Not Here\r\n");
  EXPECT_EQ(found->stored_head(),
            "ETag: \"1\"\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(found->etag(), "\"1\"");
  EXPECT_EQ(text_of(*found), "hello");
}

TEST_P(BackendSuite, ReturnsMarkers) {
  // A marker of variants keeps its names and its variants.
  const std::vector<std::string> vary = {"accept-encoding", "origin"};
  const std::vector<std::string> variants = {"page+gzip", std::string("page+\0", 6)};
  store(marker_of("page", vary, variants));

  const EntryRef found = find("page");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind(), Entry::Kind::VaryMarker);
  EXPECT_EQ(found->vary(), vary);
  EXPECT_EQ(found->variants(), variants);
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
  store(entry_with(key_of("pieces"), std::move(body)));
  EXPECT_EQ(body_at("pieces"), expected);
}

TEST_P(BackendSuite, EqualHashesAreNotEqualKeys) {
  // Two keys forced to one hash never answer for each other, and erasing one spares the other.
  const Hash128 hash{7, 7};
  const keys::KeyView one{"one", hash};
  const keys::KeyView two{"two", hash};
  store(entry_with(one, make_body("1")));
  EXPECT_FALSE(look_up(*store_, two, loop_));
  store_->erase(two);
  ASSERT_TRUE(look_up(*store_, one, loop_));

  store(entry_with(two, make_body("2")));
  const EntryRef found_two = look_up(*store_, two, loop_);
  ASSERT_TRUE(found_two);
  EXPECT_EQ(text_of(*found_two), "2");
  // The first may have had to leave, but is never the second.
  const EntryRef found_one = look_up(*store_, one, loop_);
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
  EXPECT_TRUE(says_erased(erase("a")));
  EXPECT_TRUE(says_absent(erase("a")));
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at("b"), "2");
  store("a", "3");
  EXPECT_EQ(body_at("a"), "3");
}

TEST_P(BackendSuite, ClearsAll) {
  // After clear() nothing is found or counted, and the backend goes on.
  for (int i = 0; i < 100; ++i) store("key" + std::to_string(i), "x");
  clear();
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
  clear();
  EXPECT_EQ(text_of(*before), "old");
  EXPECT_EQ(text_of(*after), "new");
}

TEST_P(BackendSuite, StoringTheSameObjectTwice) {
  // An entry found may be stored again, before and after it was erased.
  store("a", "1");
  const EntryRef entry = find("a");
  ASSERT_TRUE(entry);
  store(entry);
  EXPECT_EQ(body_at("a"), "1");
  erase("a");
  EXPECT_EQ(body_at("a"), std::nullopt);
  store(entry);
  EXPECT_EQ(body_at("a"), "1");
}

TEST_P(BackendSuite, RefusesWhatIsTooLarge) {
  // A body of exactly max_object_size is stored, one byte more is not and disturbs nobody else.
  const std::uint64_t most = backend().max_object_size();
  ASSERT_GE(most, kMaxObjectSize);
  store("other", "1");
  EXPECT_EQ(store(entry_of_size("fits", most)), StoreResult::Stored);
  EXPECT_EQ(store(entry_of_size("large", most + 1)), StoreResult::TooLarge);
  const EntryRef fits = find("fits");
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->body_size(), most);
  EXPECT_FALSE(find("large"));
  EXPECT_EQ(body_at("other"), "1");
}

TEST_P(BackendSuite, ARefusedStoreLeavesNothingOlder) {
  // When the new version is not stored the old one goes as well: an old page never comes back.
  store("a", "old");
  store("b", "other");
  EXPECT_EQ(store(entry_of_size("a", backend().max_object_size() + 1)), StoreResult::TooLarge);
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at("b"), "other");
}

TEST_P(BackendSuite, AdmitsWhatItWillStore) {
  // Up to max_object_size, or of unknown length; what was admitted is then stored, be it smaller or
  // a little larger than said.
  const std::uint64_t most = backend().max_object_size();
  for (const auto& [key, said, body] :
       {std::tuple("exact", std::optional<std::uint64_t>(most), most),
        std::tuple("less", std::optional<std::uint64_t>(most), std::uint64_t{0}),
        std::tuple("more", std::optional<std::uint64_t>(0), most),
        std::tuple("unknown", std::optional<std::uint64_t>(), most)}) {
    auto admitted = store_->admit(said);
    ASSERT_TRUE(admitted) << key;
    ASSERT_TRUE(*admitted) << key;
    EXPECT_EQ(store(entry_of_size(key, body), std::move(*admitted)), StoreResult::Stored) << key;
    EXPECT_TRUE(find(key)) << key;
  }
  const auto refused = store_->admit(most + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), StoreResult::TooLarge);
}

TEST_P(BackendSuite, AnAdmissionAloneChangesNothing) {
  // Room that is given back unused leaves what was there, and nothing new.
  store("a", "1");
  const BackendStats before = backend().stats();
  ASSERT_TRUE(store_->admit(kMaxObjectSize));
  ASSERT_TRUE(store_->admit(std::nullopt));
  const BackendStats after = backend().stats();
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.objects, before.objects);
  EXPECT_EQ(after.stores, before.stores);
  EXPECT_EQ(body_at("a"), "1");
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
  if (delegate_->counts_bytes()) {
    EXPECT_GE(after.bytes - before.bytes, 1000U);
  }
  if (delegate_->counts_objects()) {
    EXPECT_EQ(after.objects, 1U);
  }
}

TEST_P(BackendSuite, ProbesCountAsNothing) {
  // They find the same and appear in no statistics.
  store("a", "1");
  const BackendStats before = backend().stats();
  EXPECT_TRUE(find("a", Purpose::Probe));
  EXPECT_FALSE(find("absent", Purpose::Probe));
  store_->lookup_now(key_of("a"), Purpose::Probe);
  const BackendStats after = backend().stats();
  EXPECT_EQ(after.hits, before.hits);
  EXPECT_EQ(after.misses, before.misses);
  EXPECT_EQ(after.stores, before.stores);
}

TEST_P(BackendSuite, AMarkerFoundIsNoHit) {
  // What the client gets is found by the look-up that follows: the one counts.
  store(marker_of("page", {"accept"}, {}));
  EXPECT_TRUE(find("page"));
  EXPECT_EQ(backend().stats().hits, 0U);
  EXPECT_EQ(backend().stats().misses, 0U);
}

TEST_P(BackendSuite, ThreadsShareIt) {
  // Threads that store, look up, erase and clear at the same time find whole entries of the key
  // that they asked for, or none.
  std::atomic<int> wrong{0};
  const auto work = [&](unsigned seed) {
    EventLoop loop;
    const std::unique_ptr<Store> own = backend().attach(loop);
    for (unsigned i = 0; i < 300; ++i) {
      const std::string key = "key" + std::to_string((i * 7 + seed) % 13);
      switch ((i + seed) % 5) {
        case 0:
        case 1:
          put(*own, entry_of(key, key + " of " + std::to_string(seed)), loop);
          break;
        case 2:
          if (i % 15 == 0) own->erase(key_of(key));
          if (i % 100 == 99) backend().clear();
          break;
        default: {
          const EntryRef found = look_up(*own, key_of(key), loop);
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
