#include "core/base/process.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace bitlaw {
namespace {

TEST_CASE("process: this one is alive under its own number") {
  const ProcessName me = this_process();
  CHECK(me.pid == ::getpid());
  CHECK(me.start > 0);
  CHECK(me == this_process());
  CHECK(life_of(me) == Life::Alive);
}

TEST_CASE("process: a later one with the same number is another") {
  ProcessName earlier = this_process();
  earlier.start -= 1;
  CHECK(life_of(earlier) == Life::Dead);
  CHECK(word_of(earlier) != word_of(this_process()));
}

TEST_CASE("process: a killed one is dead at once, even before its parent has asked") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ProcessName name = this_process();
  name.pid = child;
  // The child's start is that of its /proc entry; it may lie ticks after ours, so it is searched for.
  for (int i = 0; i < 1000 && life_of(name) != Life::Alive; ++i) ++name.start;
  REQUIRE(life_of(name) == Life::Alive);
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);  // it has ended and stays a zombie
  CHECK(life_of(name) == Life::Dead);
  ::waitpid(child, nullptr, 0);
  CHECK(life_of(name) == Life::Dead);
}

TEST_CASE("process: numbers of another kernel or container say nothing") {
  ProcessName elsewhere = this_process();
  elsewhere.space = "0123456789abcdef";
  CHECK(life_of(elsewhere) == Life::Unknown);
}

}  // namespace
}  // namespace bitlaw
