// Who gets a place among the connections to the app, and when.
#include "proxy/upstream/connection_places.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::upstream {
namespace {

class Someone final : public ConnectionPlaces::Guest {
 public:
  Someone(EventLoop& loop, ConnectionPlaces& places, std::string name, std::string& order)
      : Guest(loop), places_(places), name_(std::move(name)), order_(order) {}
  ~Someone() override { places_.leave(*this); }
  bool inside() const { return inside_; }
  void leaves() {
    inside_ = false;
    places_.leave(*this);
  }

 private:
  void on_place() override {
    inside_ = true;
    order_ += name_;
  }

  ConnectionPlaces& places_;
  const std::string name_;
  std::string& order_;
  bool inside_ = false;
};

// Each letter of a script is one who comes: v a visit, u an upload whose body is there, g one that
// is still gathering it, r a refresh. They are named a, b, c … in the order of their arrival.
class PlacesTest : public testing::Test {
 protected:
  void open(std::size_t most) {
    people_.clear();
    order_.clear();
    places_ = std::make_unique<ConnectionPlaces>(most);
  }
  void come(std::string_view script) {
    for (const char kind : script) {
      const std::string name(1, static_cast<char>('a' + people_.size()));
      people_.push_back(std::make_unique<Someone>(loop_, *places_, name, order_));
      places_->enter(*people_.back(), kind_of(kind), kind != 'g');
    }
  }
  Someone& who(char name) { return *people_.at(static_cast<std::size_t>(name - 'a')); }
  // All who have a place leave, one after the other, until nobody has one.
  void all_leave() {
    for (bool any = true; any;) {
      any = false;
      for (const auto& person : people_) {
        if (!person->inside()) continue;
        person->leaves();
        any = true;
        break;
      }
    }
  }
  static PlaceKind kind_of(char letter) {
    if (letter == 'v') return PlaceKind::Visit;
    return letter == 'r' ? PlaceKind::Refresh : PlaceKind::Upload;
  }

  EventLoop loop_;
  std::unique_ptr<ConnectionPlaces> places_;
  std::string order_;
  std::vector<std::unique_ptr<Someone>> people_;
};

TEST_F(PlacesTest, AreGivenInOrderExceptWhereOneKindWouldStarveAnother) {
  struct Case {
    const char* what;
    std::size_t most;
    std::string_view script;
    std::string at_once;  // who gets a place before anybody leaves
    std::string order;    // in which all get one
  };
  const Case cases[] = {
      {"first come, first served", 2, "vvvv", "ab", "abcd"},
      {"a single place goes round", 1, "vuvuv", "a", "abcde"},
      {"one of a kind at least", 1, "u", "a", "a"},
      {"refreshes use half", 4, "rrrrvv", "abef", "abefcd"},
      {"a refresh goes behind all clients", 1, "vrvrv", "a", "acebd"},
      {"uploads use three quarters", 4, "uuuuv", "abce", "abced"},
      {"uploads leave one of two to others", 2, "uuvv", "ac", "acbd"},
      {"but not of one", 1, "uv", "a", "ab"},
      {"an upload waits in its turn", 2, "vvuv", "ab", "abcd"},
      {"refreshes use what uploads may not", 2, "uur", "ac", "acb"},
      {"who gathers takes what nobody wants", 2, "g", "a", "a"},
      {"who gathers waits while places are scarce", 1, "vgv", "a", "acb"},
      {"a refresh goes behind one who gathers", 2, "vvgr", "ab", "abcd"},
      {"a refresh makes no place scarce", 2, "rrrg", "ad", "adbc"},
  };
  for (const Case& c : cases) {
    open(c.most);
    come(c.script);
    EXPECT_EQ(order_, c.at_once) << c.what;
    all_leave();
    EXPECT_EQ(order_, c.order) << c.what;
    EXPECT_FALSE(places_->crowded()) << c.what;
  }
}

TEST_F(PlacesTest, AnUploadTakesItsTurnOnceItsBodyIsThere) {
  open(1);
  come("vggv");
  places_->gathered(who('c'));
  places_->gathered(who('a'));  // has a place, and is none
  who('a').leaves();
  EXPECT_EQ(order_, "ac");
  who('c').leaves();
  EXPECT_EQ(order_, "acd");
  EXPECT_TRUE(places_->crowded());
  who('d').leaves();
  EXPECT_EQ(order_, "acdb") << "nobody else wants it";
}

TEST_F(PlacesTest, AFreePlaceWaitsForThoseWhoGatherRatherThanForARefresh) {
  open(4);
  come("vvvvggr");
  who('a').leaves();
  EXPECT_EQ(order_, "abcd");
  who('b').leaves();
  EXPECT_EQ(order_, "abcdef");
  who('c').leaves();
  EXPECT_EQ(order_, "abcdefg");

  // Unless they may have none of what is free.
  open(4);
  come("uuuvggr");
  who('d').leaves();
  EXPECT_EQ(order_, "abcdg");
}

TEST_F(PlacesTest, AreCrowdedByClientsAlone) {
  open(2);
  come("rr");
  EXPECT_EQ(order_, "a");
  EXPECT_FALSE(places_->crowded()) << "the other waits for its kind's half, beside a free place";
  places_->hurry(who('b'));
  EXPECT_EQ(order_, "ab");
  come("r");
  EXPECT_FALSE(places_->crowded());
  places_->hurry(who('c'));
  EXPECT_TRUE(places_->crowded());
  who('c').leaves();
  EXPECT_FALSE(places_->crowded());
}

TEST_F(PlacesTest, ARefreshThatSomebodyWaitsForIsAVisit) {
  open(2);
  come("vvrvr");
  places_->hurry(who('c'));
  who('a').leaves();
  who('d').leaves();
  EXPECT_EQ(order_, "abdc") << "it comes last of those who wait, but before the other refresh";
  who('b').leaves();
  EXPECT_EQ(order_, "abdce");

  // One that is running leaves its kind's place to another.
  open(2);
  come("rr");
  EXPECT_EQ(order_, "a");
  places_->hurry(who('a'));
  EXPECT_EQ(order_, "ab");
}

TEST_F(PlacesTest, WhoLeavesTheQueueHoldsUpNobody) {
  open(1);
  come("vvvg");
  who('b').leaves();
  EXPECT_FALSE(who('b').waits_for_place());
  who('a').leaves();
  EXPECT_EQ(order_, "ac");
  who('d').leaves();
  EXPECT_FALSE(places_->crowded());
  who('c').leaves();
  come("v");
  EXPECT_EQ(order_, "ace");
}

TEST_F(PlacesTest, AGuestOfAnotherLoopIsToldThere) {
  open(1);
  come("v");
  std::string order;
  EventLoop other;
  {
    Someone stays(other, *places_, "s", order);
    Someone gone(other, *places_, "g", order);
    places_->enter(gone, PlaceKind::Visit);
    places_->enter(stays, PlaceKind::Visit);
    who('a').leaves();
    EXPECT_EQ(order, "") << "on its own loop, and not before";
    EXPECT_TRUE(gone.waits_for_place());
    gone.leaves();  // it never heard of its place, which goes on to the next
    other.turn();
    EXPECT_EQ(order, "s");
    EXPECT_FALSE(stays.waits_for_place());
  }
  come("v");
  EXPECT_EQ(order_, "ab");
}

}  // namespace
}  // namespace weir::upstream
