#include "base/http/status.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::http {
namespace {

TEST(Status, InterimPartialAndConditionalAnswersSpeakOfOneExchange) {
  for (const int status : {100, 101, 103, 199, 206, 304}) {
    EXPECT_TRUE(speaks_of_one_exchange(status)) << status;
  }
}

TEST(Status, OfTheErrorsOnlyThoseAboutOneRequestDo) {
  const std::set<int> about_one_request = {400, 401, 407, 408, 411, 412, 413, 414,
                                           416, 417, 421, 425, 426, 428, 429, 431};
  for (int status = 400; status < 600; ++status) {
    EXPECT_EQ(speaks_of_one_exchange(status), about_one_request.contains(status)) << status;
  }
}

TEST(Status, WhatIsAboutTheResourceDoesNot) {
  for (const int status : {200, 203, 204, 300, 301, 302, 303, 305, 307, 308}) {
    EXPECT_FALSE(speaks_of_one_exchange(status)) << status;
  }
}

TEST(Status, HasItsRegisteredPhraseOrNone) {
  EXPECT_EQ(reason_phrase(103), "Early Hints");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(504), "Gateway Timeout");
  EXPECT_EQ(reason_phrase(0), "Unknown");
  EXPECT_EQ(reason_phrase(418), "Unknown");
}

}  // namespace
}  // namespace weir::http
