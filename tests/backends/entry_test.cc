#include "backends/entry.h"

#include <gtest/gtest.h>

#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

EntryParts page(std::size_t body = 5) {
  EntryParts parts;
  parts.key = "key";
  parts.hash = hash128("key");
  parts.fields.add("Content-Type", "text/html");
  parts.fields.add("etag", "\"1\"");
  parts.fields.add("X-Twice", "a");
  parts.fields.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
  parts.fields.add("X-Twice", "b");
  parts.fields.add("Content-Encoding", "gzip");
  parts.fields.add("X-Empty", "");
  parts.body = make_body(std::string(body, 'b'));
  return parts;
}

TEST(EntryTest, LiesAsItGoesOnTheWire) {
  // Status line, stored fields, blank line and small body, each where writev wants it.
  const EntryRef entry = make_entry(page());
  EXPECT_EQ(entry->status_line(), "HTTP/1.1 200 OK\r\n");
  const std::string head =
      "Content-Type: text/html\r\netag: \"1\"\r\nX-Twice: a\r\n"
      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Twice: b\r\n"
      "Content-Encoding: gzip\r\nX-Empty: \r\n\r\n";
  EXPECT_EQ(entry->stored_head(), head);
  EXPECT_EQ(entry->stored_head_and_inline_body(), head + "bbbbb");
  EXPECT_EQ(entry->key().bytes, "key");
  EXPECT_EQ(entry->key().hash, hash128("key"));
}

TEST(EntryTest, AnEmptyHeadIsABlankLine) {
  const EntryRef entry = make_entry({});
  EXPECT_EQ(entry->stored_head(), "\r\n");
  EXPECT_EQ(entry->stored_head_and_inline_body(), "\r\n");
  EXPECT_EQ(entry->body_parts(), 0U);
  EXPECT_TRUE(entry->fields().empty());
  EXPECT_EQ(entry->etag(), "");
}

TEST(EntryTest, KnowsItsFields) {
  // By a note where a hit asks, by reading elsewhere; of several lines the first.
  const EntryRef entry = make_entry(page());
  EXPECT_EQ(entry->etag(), "\"1\"");
  EXPECT_EQ(entry->last_modified(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(entry->content_encoding(), "gzip");
  EXPECT_EQ(entry->field(http::FieldId::ContentType), "text/html");
  EXPECT_EQ(entry->field(http::FieldId::Location), std::nullopt);

  const http::HeaderBlock fields = entry->fields();
  ASSERT_EQ(fields.size(), 7U);
  EXPECT_EQ(fields[1].name, "etag");
  EXPECT_EQ(fields[4].value, "b");
  EXPECT_EQ(fields[6].value, "");

  std::string names;
  entry->for_each_field([&](const http::FieldView& field) { names += field.name; });
  EXPECT_EQ(names, "Content-TypeetagX-TwiceLast-ModifiedX-TwiceContent-EncodingX-Empty");
}

TEST(EntryTest, ValidatorsOfAbsurdLengthAreNone) {
  // They would not fit their note; the field is sent all the same.
  EntryParts parts;
  parts.fields.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
  parts.fields.add("ETag", '"' + std::string(70000, 'x') + '"');
  const EntryRef entry = make_entry(std::move(parts));
  EXPECT_EQ(entry->etag(), "");
  EXPECT_EQ(entry->last_modified(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(entry->field(http::FieldId::ETag)->size(), 70002U);
}

TEST(EntryTest, ACodingIsFoundHoweverFarBack) {
  // A client that cannot read it must never get it.
  EntryParts parts;
  parts.fields.add("X-Long", std::string(70000, 'x'));
  parts.fields.add("Content-Encoding", "gzip");
  parts.fields.add("ETag", "\"1\"");
  const EntryRef entry = make_entry(std::move(parts));
  EXPECT_EQ(entry->content_encoding(), "gzip");
  EXPECT_EQ(entry->etag(), "");
}

TEST(EntryTest, SmallBodiesLieInline) {
  // Up to the bound in one run of bytes with the head, past it in the pieces that they came in.
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, Entry::kInlineBody}) {
    const EntryRef entry = make_entry(page(size));
    EXPECT_TRUE(entry->has_inline_body());
    EXPECT_EQ(entry->body_size(), size);
    EXPECT_EQ(entry->body_parts(), size == 0 ? 0U : 1U);
    EXPECT_EQ(text_of(*entry), std::string(size, 'b'));
  }
  EntryParts parts = page(Entry::kInlineBody + 1);
  const Ref<Chunk> chunk = parts.body.pieces()[0].chunk;
  const EntryRef entry = make_entry(std::move(parts));
  EXPECT_FALSE(entry->has_inline_body());
  EXPECT_EQ(entry->body_part(0).data(), chunk->data());
  EXPECT_EQ(entry->body_size(), Entry::kInlineBody + 1);
}

TEST(EntryTest, MetaComesBackSaturated) {
  // Spans are held in 32 bits: what is larger is as good as 68 years.
  EntryParts parts;
  parts.meta.status = 503;
  parts.meta.response_ms = 1'700'000'000'123;
  parts.meta.initial_age_s = std::int64_t{1} << 40U;
  parts.meta.lifetime_s = -5;
  parts.meta.stale_if_error_s = 0;
  parts.meta.must_revalidate = true;
  parts.meta.seq = ~std::uint64_t{0};
  const EntryMeta meta = make_entry(std::move(parts))->meta();
  EXPECT_EQ(meta.status, 503);
  EXPECT_EQ(meta.response_ms, 1'700'000'000'123);
  EXPECT_EQ(meta.initial_age_s, 2147483647);
  EXPECT_EQ(meta.lifetime_s, -5);
  EXPECT_EQ(meta.stale_while_revalidate_s, std::nullopt);
  EXPECT_EQ(meta.stale_if_error_s, 0);
  EXPECT_FALSE(meta.validate_always);
  EXPECT_TRUE(meta.must_revalidate);
  EXPECT_FALSE(meta.shared_with_personal);
  EXPECT_EQ(meta.seq, ~std::uint64_t{0});
}

TEST(EntryTest, MarkersHoldTheirLists) {
  // Names and keys are any bytes; a marker has no head and no body.
  const std::vector<std::string> vary = {"accept", "cookie"};
  const std::vector<std::string> variants = {"", std::string("a\0b", 3), std::string(300, 'k')};
  const EntryRef marker = marker_of("page", vary, variants);
  EXPECT_EQ(marker->kind(), EntryKind::VaryMarker);
  EXPECT_EQ(marker->vary(), vary);
  EXPECT_EQ(marker->variants(), variants);
  EXPECT_EQ(marker->variants().to_vector(), variants);
  EXPECT_FALSE(marker->vary() == variants);
  EXPECT_EQ(marker->stored_head(), "");
  EXPECT_EQ(marker->body_size(), 0U);
  EXPECT_TRUE(make_entry(page())->vary().empty());
}

TEST(EntryTest, KnowsWhichWasUsedBefore) {
  // Also where the 32 bits wrap.
  const EntryRef one = make_entry({});
  const EntryRef two = make_entry({});
  for (const std::int64_t at_ms : {std::int64_t{1'700'000'000'000}, std::int64_t{0xfffffff0}}) {
    one->touch(at_ms);
    two->touch(at_ms + 50);
    EXPECT_TRUE(one->used_before(*two));
    EXPECT_FALSE(two->used_before(*one));
  }
}

// ---- what it is charged ----

TEST(EntryCharge, CountsEveryPart) {
  // Each part that grows makes the charge grow by at least as much.
  const auto charge = [](std::size_t key, std::size_t head, std::size_t body) {
    EntryParts parts;
    parts.key = std::string(key, 'k');
    parts.fields.add("X-Long", std::string(head, 'v'));
    parts.body = make_body(std::string(body, 'b'));
    return make_entry(std::move(parts))->charge();
  };
  const std::uint64_t base = charge(100, 100, 100);
  EXPECT_GE(base, sizeof(Entry) + 300);
  EXPECT_GE(charge(1100, 100, 100), base + 1000);
  EXPECT_GE(charge(100, 1100, 100), base + 1000);
  EXPECT_GE(charge(100, 100, 1100), base + 1000);
  EXPECT_GE(charge(100, 100, 20100), base + 20000);
  EXPECT_GE(marker_of("k", {std::string(1000, 'n')}, {std::string(1000, 'v')})->charge(),
            marker_of("k", {}, {})->charge() + 2000);
}

TEST(EntryCharge, StaysCloseToTheBytes) {
  // 1 KiB costs little more than 1 KiB, its key and its head.
  EntryParts parts = page(1024);
  const EntryRef entry = make_entry(std::move(parts));
  const std::size_t bytes =
      3 + entry->status_line().size() + entry->stored_head_and_inline_body().size();
  EXPECT_GE(entry->charge(), bytes + sizeof(Entry));
  EXPECT_LE(entry->charge(), bytes + 200 + bytes / 32);
}

TEST(EntryCharge, CountsCapacityNotSize) {
  // A chunk that is hardly filled costs what was allocated for it.
  EntryParts parts;
  for (int i = 0; i < 2; ++i) {
    const Ref<Chunk> chunk = Chunk::allocate(64 * 1024);
    chunk->advance(3000);
    parts.body.append({chunk, 3000});
  }
  EXPECT_GE(make_entry(std::move(parts))->charge(), 128U * 1024);
}

// Adds what it costs and binds it, as a store does.
void keep(const EntryRef& entry, const Ref<ByteAccount>& account) {
  const std::uint64_t cost = entry->charge_for(*account);
  ASSERT_TRUE(account->try_add(cost, 1 << 30));
  EXPECT_EQ(entry->bind_account(account), cost);
}

TEST(EntryAccount, GivesBackWithTheLastReference) {
  // The bytes stay charged as long as anybody holds the entry.
  for (const std::size_t size : {std::size_t{1000}, std::size_t{10000}}) {
    const auto account = make_ref<ByteAccount>();
    EntryRef entry = entry_of_size("a", size);
    keep(entry, account);
    EntryRef reader = entry;
    entry = nullptr;
    EXPECT_GE(account->bytes(), size);
    reader = nullptr;
    EXPECT_EQ(account->bytes(), 0U);
  }
}

TEST(EntryAccount, BelongsToOneStore) {
  // The second one to bind is told no, and binds a copy that shares a large body's bytes.
  const auto one = make_ref<ByteAccount>();
  const auto two = make_ref<ByteAccount>();
  EntryRef entry = entry_of_size("a", 10000);
  keep(entry, one);
  EXPECT_EQ(entry->bind_account(two), std::nullopt);
  EXPECT_EQ(entry->bind_account(one), std::nullopt);
  EXPECT_TRUE(entry->charged_to(*one));

  EntryRef copy = entry->copy();
  EXPECT_FALSE(copy->has_account());
  EXPECT_EQ(copy->key(), entry->key());
  EXPECT_EQ(copy->shared_body(), entry->shared_body());
  EXPECT_EQ(copy->stored_head(), entry->stored_head());
  // Each pays for the body: whoever lets go first leaves it to the other.
  keep(copy, two);
  EXPECT_GE(two->bytes(), 10000U);
  entry = nullptr;
  EXPECT_GE(one->bytes(), 10000U) << "the body is the first one's as long as it lives";
  EXPECT_EQ(text_of(*copy).size(), 10000U);
  copy = nullptr;
  EXPECT_EQ(one->bytes(), 0U);
  EXPECT_EQ(two->bytes(), 0U);
}

TEST(EntryAccount, ASharedBodyIsPaidOnce) {
  // Two heads of one body in one store, as after a 304.
  const auto account = make_ref<ByteAccount>();
  EntryRef old = entry_of_size("a", 100000);
  keep(old, account);
  const std::uint64_t with_one = account->bytes();
  EntryRef renewed = old->copy();
  EXPECT_LT(renewed->charge_for(*account), 1000U);
  keep(renewed, account);
  EXPECT_LT(account->bytes(), with_one + 1000);
  old = nullptr;
  EXPECT_EQ(account->bytes(), with_one);
  renewed = nullptr;
  EXPECT_EQ(account->bytes(), 0U);
}

TEST(ByteAccountTest, NeverPassesTheLimit) {
  // Up to the limit and not beyond; sums that would wrap are refused too.
  const auto account = make_ref<ByteAccount>();
  EXPECT_TRUE(account->try_add(60, 100));
  EXPECT_FALSE(account->try_add(41, 100));
  EXPECT_TRUE(account->try_add(40, 100));
  EXPECT_FALSE(account->try_add(~std::uint64_t{0}, 100));
  EXPECT_FALSE(account->try_add(~std::uint64_t{0} - 50, ~std::uint64_t{0}));
  account->subtract(100);
  EXPECT_EQ(account->bytes(), 0U);
}

}  // namespace
}  // namespace weir::backends::testing
