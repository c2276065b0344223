// Routes: hops outermost first, users, passwords, and options key by key over the defaults.
#include "engine/config/route.h"

#include <gmock/gmock.h>

#include "tests/engine/config/config_fixture.h"

namespace otto::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HostEntry host(const std::string& id, const std::string& hop = {}) {
  HostEntry entry;
  entry.id = id;
  entry.ip = id + ".example";
  entry.hop = hop;
  entry.where = {"hosts.json", 3, 1};
  entry.hop_where = {"hosts.json", 3, 9};
  return entry;
}

std::vector<std::string> via(const Result<transport::Route>& route) {
  std::vector<std::string> ids;
  EXPECT_TRUE(route) << route.error().message;
  if (!route) return ids;
  for (const transport::Address& address : route->via) ids.push_back(address.id);
  return ids;
}

class RouteTest : public ::testing::Test {
 protected:
  RouteTest() {
    lab_.hosts = {host("a", "outer"), host("b"), host("target", "a")};
    lab_.others = {host("outer")};
  }
  const HostEntry& target() { return lab_.hosts[2]; }
  Result<transport::Route> route(const std::optional<std::string>& extra = {}) {
    return route_to(lab_, target(), defaults_, extra);
  }

  Lab lab_;
  SshOptions defaults_;
};

TEST_F(RouteTest, HopsOutermostFirst) {
  EXPECT_THAT(via(route()), ElementsAre("outer", "a"));
  EXPECT_EQ(route()->target.id, "target");
  EXPECT_EQ(route()->target.host, "target.example");
  EXPECT_THAT(via(route_to(lab_, lab_.hosts[1], defaults_)), IsEmpty());
}

TEST_F(RouteTest, AnotherTermIsTheTargetsAlone) {
  lab_.hosts[2].telnet_options.port = 2323;
  lab_.hosts[2].ssh_options.port = 2222;
  const auto by_telnet = route_to(lab_, target(), defaults_, {}, transport::Protocol::kTelnet);
  EXPECT_THAT(via(by_telnet), ElementsAre("outer", "a"));
  EXPECT_EQ(by_telnet->target.protocol, transport::Protocol::kTelnet);
  EXPECT_EQ(by_telnet->target.port, 2323);
  for (const auto& hop : by_telnet->via) EXPECT_EQ(hop.protocol, transport::Protocol::kSsh);
  lab_.hosts[2].term = transport::Protocol::kTelnet;
  EXPECT_EQ(route_to(lab_, target(), defaults_, {}, transport::Protocol::kSsh)->target.port, 2222);
}

TEST_F(RouteTest, ATermThatDoesNotFitTheAddressIsRefused) {
  const auto here = route_to(lab_, target(), defaults_, {}, transport::Protocol::kLocal);
  ASSERT_FALSE(here);
  EXPECT_EQ(here.error().code, ErrorCode::kUsage);
  EXPECT_EQ(here.error().message, "--term local: host 'target' is at target.example, not this machine");
  lab_.hosts[1].ip.clear();
  lab_.hosts[1].term = transport::Protocol::kLocal;
  const auto there = route_to(lab_, lab_.hosts[1], defaults_, {}, transport::Protocol::kSsh);
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().code, ErrorCode::kUsage);
  EXPECT_EQ(there.error().message, "--term: host 'b' is this machine and has no address");
  EXPECT_TRUE(route_to(lab_, lab_.hosts[1], defaults_, {}, transport::Protocol::kLocal));
}

TEST_F(RouteTest, ExtraHopComesFirstAndNothingIsPassedTwice) {
  EXPECT_THAT(via(route("b")), ElementsAre("b", "outer", "a"));
  EXPECT_THAT(via(route("A")), ElementsAre("outer", "a"));
  EXPECT_THAT(via(route("outer")), ElementsAre("outer", "a"));
}

TEST_F(RouteTest, RefusesExtraHops) {
  EXPECT_EQ(route("outr").error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(route("outr").error().message, "--hop: unknown host 'outr' … did you mean 'outer'?");
  EXPECT_EQ(route("target").error().message, "--hop: the hops lead round: outer → a → target → target");
  lab_.hosts[1].term = transport::Protocol::kTelnet;
  EXPECT_EQ(route("b").error().message, "--hop: host 'b' is not reached by ssh");
}

TEST_F(RouteTest, RefusesHopsThatLeadNowhereOrRound) {
  lab_.hosts[0].hop = "outre";
  EXPECT_EQ(route().error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(route().error().message,
            "hosts.json:3:9: 'hop' of host 'a' names 'outre', which no hosts.json declares … did you mean 'outer'?");
  lab_.hosts[0].hop = "target";
  EXPECT_EQ(route().error().code, ErrorCode::kConfig);
  EXPECT_EQ(route().error().message, "hosts.json:3:9: the hops lead round: target → a → target");
  EXPECT_EQ(check_hops(lab_).error().message, "hosts.json:3:9: the hops lead round: a → target → a");
}

TEST_F(RouteTest, UserIsTheFirstOfCredsUnlessSaid) {
  lab_.hosts[2].creds = {{"zoe", "zoe's"}, {"adam", std::nullopt}};
  EXPECT_EQ(route()->target.user, "zoe");
  EXPECT_EQ(route()->target.password, "zoe's");
  lab_.hosts[2].user = "adam";
  EXPECT_EQ(route()->target.user, "adam");
  EXPECT_EQ(route()->target.password, std::nullopt);
  lab_.hosts[2].user = "eve";
  EXPECT_EQ(route()->target.password, std::nullopt);
  EXPECT_EQ(route()->via[0].user, std::nullopt);
}

TEST_F(RouteTest, PasswordVariableBeforeCreds) {
  lab_.hosts[2].creds = {{"root", "from creds"}};
  lab_.hosts[2].password_env = "OTTO_TEST_PASSWORD";
  const ScopedVariable set("OTTO_TEST_PASSWORD", "from env");
  EXPECT_EQ(route()->target.password, "from env");
  const ScopedVariable empty("OTTO_TEST_PASSWORD", "");
  EXPECT_EQ(route()->target.password, std::nullopt);
}

TEST_F(RouteTest, UnsetPasswordVariableStopsOnlyItsOwnRoutes) {
  const ScopedVariable unset("OTTO_TEST_PASSWORD", nullptr);
  lab_.others[0].password_env = "OTTO_TEST_PASSWORD";
  EXPECT_EQ(route().error().code, ErrorCode::kConfig);
  EXPECT_EQ(route().error().message,
            "hosts.json:3:1: the password of host 'outer' is in $OTTO_TEST_PASSWORD, which is not set");
  EXPECT_THAT(via(route_to(lab_, lab_.hosts[1], defaults_)), IsEmpty());
}

TEST_F(RouteTest, OwnOptionsWinKeyByKey) {
  defaults_.port = 2222;
  defaults_.identity_files = {"/id"};
  defaults_.host_key_policy = transport::HostKeyPolicy::kStrict;
  defaults_.use_ssh_config = false;
  lab_.hosts[2].ssh_options.port = 22;
  lab_.hosts[2].ssh_options.known_hosts = {"/kh"};
  lab_.hosts[2].ssh_options.connect_timeout = std::chrono::seconds(3);
  const auto found = route();
  ASSERT_TRUE(found) << found.error().message;
  const transport::Address& address = found->target;
  EXPECT_EQ(address.port, 22);
  EXPECT_THAT(address.identity_files, ElementsAre("/id"));
  EXPECT_THAT(address.known_hosts, ElementsAre("/kh"));
  EXPECT_EQ(address.host_key_policy, transport::HostKeyPolicy::kStrict);
  EXPECT_EQ(address.connect_timeout, std::chrono::seconds(3));
  EXPECT_EQ(address.keepalive_interval, std::nullopt);
  EXPECT_FALSE(address.use_ssh_config);
  EXPECT_EQ(found->via[0].port, 2222);
}

TEST_F(RouteTest, SshDefaultsGiveTelnetHostsNoPort) {
  defaults_.port = 2222;
  lab_.hosts[2].term = transport::Protocol::kTelnet;
  EXPECT_EQ(route()->target.port, std::nullopt);
  EXPECT_EQ(route()->target.protocol, transport::Protocol::kTelnet);
  lab_.hosts[2].telnet_options = {std::uint16_t{2323}, std::chrono::seconds(4), std::chrono::seconds(5)};
  EXPECT_EQ(route()->target.port, 2323);
  EXPECT_EQ(route()->target.connect_timeout, std::chrono::seconds(4));
  EXPECT_EQ(route()->target.keepalive_interval, std::chrono::seconds(5));
}

}  // namespace
}  // namespace otto::config
