// The fake host understands Remote, and says what it was asked.
#include "tests/support/fake_transport.h"

#include <gtest/gtest.h>

#include <thread>

#include "transport/remote.h"

namespace otto::testing {
namespace {

using transport::Remote;
using transport::Script;
using transport::Stream;
using transport::Writer;

class FakeHost : public ::testing::Test {
 protected:
  FakeTransport* fake_ = new FakeTransport("pepper_seed");
  Remote remote_{std::unique_ptr<transport::Transport>(fake_)};
};

TEST_F(FakeHost, AnswersScriptsAndRemembersThem) {
  fake_->on("docker ps", FakeReply::success("abc\n"));
  Script script{.text = "docker ps\nx='it'\\''s'", .args = {"a b", "it's", "", "new\nline"}};
  script.input = [](const Writer& write) { return write("data"); };
  const auto output = remote_.run(script);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "abc\n");
  EXPECT_TRUE(output->status.success());
  ASSERT_EQ(fake_->calls().size(), 1U);
  const FakeCall call = fake_->calls()[0];
  EXPECT_EQ(call.script, script.text);
  EXPECT_EQ(call.args, script.args);
  EXPECT_EQ(call.input, "data");
  EXPECT_FALSE(call.job);
}

TEST_F(FakeHost, AnswersJobsWithoutShowingTheSupervisor) {
  fake_->on("docker build", FakeReply::failure(3, "no space\n"));
  Script script{.text = "docker build 'it'\\''s'\n", .args = {"x", "y)"}};
  script.input = [](const Writer& write) { return write("context"); };
  const auto output = remote_.run_job(script);
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->status.code, 3);
  EXPECT_EQ(output->err, "no space\n");
  ASSERT_EQ(fake_->calls().size(), 1U);
  const FakeCall call = fake_->calls()[0];
  EXPECT_TRUE(call.job);
  EXPECT_EQ(call.script, script.text);
  EXPECT_EQ(call.args, script.args);
  EXPECT_EQ(call.input, "context");
}

TEST_F(FakeHost, TheLastRuleWinsAndOnceComesFirst) {
  fake_->on("x", FakeReply::success("old")).on("x", FakeReply::success("new"));
  fake_->once("x", FakeReply::success("first")).once("x", FakeReply::success("second"));
  for (const char* expected : {"first", "second", "new", "new"}) EXPECT_EQ(remote_.run({.text = "x"})->out, expected);
  EXPECT_EQ(fake_->count("x"), 4U);
  fake_->forget_calls();
  EXPECT_EQ(fake_->count("x"), 0U);
}

TEST_F(FakeHost, WhatNobodyExpectedIsAnError) {
  const auto output = remote_.run({.text = "rm -rf /"});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->status.code, 127);
  EXPECT_NE(output->err.find("no rule for: rm -rf /"), std::string::npos);
}

TEST_F(FakeHost, RepliesAreComputedAndStreamsKept) {
  fake_->on([](const FakeCall& call) { return call.script == "sum"; },
            [](const FakeCall& call) {
              FakeReply reply;
              reply.output = {{Stream::kStdout, "o" + call.input}, {Stream::kStderr, "e"}, {Stream::kStdout, "p"}};
              return reply;
            });
  Script script{.text = "sum"};
  script.input = [](const Writer& write) { return write("1"); };
  const auto output = remote_.run(script);
  EXPECT_EQ(output->out, "o1p");
  EXPECT_EQ(output->err, "e");
}

TEST_F(FakeHost, LosesTheConnectionOrNeverAnswers) {
  fake_->on("lost", FakeReply::lost());
  EXPECT_EQ(remote_.run({.text = "lost"}).error().code, ErrorCode::kConnectionLost);
  FakeReply never;
  never.never = true;
  fake_->on("never", never);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  Script script{.text = "never"};
  script.stop = stop.get_token();
  EXPECT_EQ(remote_.run(script).error().code, ErrorCode::kInterrupted);
}

TEST_F(FakeHost, PlainCommandsToo) {
  fake_->on("uname", FakeReply::success("Linux\n"));
  auto process = fake_->start({.line = "uname -a"}, {});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->close_stdin().ok());
  EXPECT_EQ((*(*process)->read())->bytes, "Linux\n");
  EXPECT_TRUE((*process)->wait()->success());
  EXPECT_EQ(fake_->counters().bytes_received, 6U);
}

}  // namespace
}  // namespace otto::testing
