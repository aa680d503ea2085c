// What a runtime costs before it does anything.
