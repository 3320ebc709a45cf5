// What the tests use of `node:test`, in a browser.
const tests = [];

export const test = (title, act) => tests.push({ title, act });

/** Runs all of them, one after the other. The error of one that passed is `null`. */
export const run = async () => {
    const results = [];
    for (const { title, act } of tests) {
        let error = null;
        try {
            await act();
        } catch (thrown) {
            error = `${thrown?.message}\n${thrown?.stack}`;
        }
        results.push({ title, error });
    }
    return results;
};
