#include "graph/base/record.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace otto {
namespace {

TEST(Record, FieldsAreTakenInOrder) {
  std::string id, name;
  int code = 0;
  std::uint64_t bytes = 0;
  const Record record("exit\tabc\t-3\tapi\t18446744073709551615");
  EXPECT_EQ(record.kind(), "exit");
  ASSERT_TRUE(record.read(id, code, name, bytes));
  EXPECT_EQ(id, "abc");
  EXPECT_EQ(code, -3);
  EXPECT_EQ(name, "api");
  EXPECT_EQ(bytes, UINT64_MAX);
}

TEST(Record, IsReadWholeOrNotAtAll) {
  std::string first = "before", second = "before";
  unsigned number = 7;
  EXPECT_FALSE(Record("kind\ta").read(first, second)) << "a field is missing: the line was cut";
  EXPECT_FALSE(Record("kind\ta\tb\tc").read(first, second)) << "there is one too many";
  for (const char* bad : {"", "x", "12x", " 12", "-1", "99999999999"}) {
    EXPECT_FALSE(Record("kind\ta\t" + std::string(bad)).read(first, number)) << bad;
  }
  EXPECT_EQ(first, "before");
  EXPECT_EQ(number, 7U);
}

TEST(Record, EmptyFieldsCount) {
  std::string first = "x", second = "x";
  ASSERT_TRUE(Record("kind\t\t").read(first, second));
  EXPECT_EQ(first + second, "");
  EXPECT_TRUE(Record("").read_all(first));
  EXPECT_TRUE(Record("kind").read());
}

TEST(Record, OneALine) {
  const auto records = split_records("a\t1\nb\n");
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].kind(), "a");
  EXPECT_EQ(records[1].kind(), "b");
  EXPECT_EQ(records[2].kind(), "");
}

}  // namespace
}  // namespace otto
