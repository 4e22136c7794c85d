// A module that throws while it is loaded.
throw new Error('the module says no')
export {}
