//! A stage that borrows what its run may outlive.
//! says: closure may outlive the current function, but it borrows `ending`
//! says: use the `move` keyword

use gapless::parallel;

fn main() {
    let ending = String::from("!");
    #[cfg(not(mended))]
    let shout = |word: &mut String| format!("{word}{}", &ending);
    #[cfg(mended)]
    let shout = move |word: &mut String| format!("{word}{}", &ending);
    let _words = parallel(shout, ["a".to_string()]).collect();
}
