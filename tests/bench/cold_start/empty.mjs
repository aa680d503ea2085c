// What a runtime costs before it does anything.
export async function firstToken() {}
