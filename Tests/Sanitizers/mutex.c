/* Tells ThreadSanitizer of Swift's Mutex on Linux.

   The fast paths of lock and unlock are compiled into our code, where the sanitizer sees their
   atomics. The slow paths, under contention, are in a library that it does not see: every contended
   lock would be reported as a race. This library, loaded before that one, stands in for the slow paths:
   it calls the originals and reports the lock as acquired or released. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

/* Swift's `func _lockSlow(_ selfId: UInt32)` and `func _unlockSlow()`. */
typedef SWIFT void Lock(uint32_t thread, SELF void *mutex);
typedef SWIFT void Unlock(SELF void *mutex);
Lock slow_lock __asm__(LOCK);
Unlock slow_unlock __asm__(UNLOCK);

static void report(const char *event, void *mutex) {
  void (*function)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, event);
  if (function) function(mutex);
}

SWIFT void slow_lock(uint32_t thread, SELF void *mutex) {
  Lock *original = (Lock *)dlsym(RTLD_NEXT, LOCK);
  original(thread, mutex);
  report("__tsan_acquire", mutex);
}

SWIFT void slow_unlock(SELF void *mutex) {
  Unlock *original = (Unlock *)dlsym(RTLD_NEXT, UNLOCK);
  report("__tsan_release", mutex);
  original(mutex);
}
