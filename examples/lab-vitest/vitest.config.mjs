// In milliseconds, and longer than anything here takes on a machine with much else to do. What does not come true in time is to
// fail before its test does, since it says what it waited for.
export default {
  test: { include: ['*.test.mjs'], testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000, interval: 20 } } },
}
