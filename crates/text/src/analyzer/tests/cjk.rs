//! Scripts without spaces.

use super::{Analysis, Analyzer, Form, placed};

const CJK: Analysis = Analysis { analyzer: Analyzer::Cjk, form: Form::Folded };

#[test]
fn documents_have_each_letter_and_each_pair_of_neighbours() {
    assert_eq!(placed(CJK.document(), "東京都"), "東@0 東京@0 京@1 京都@1 都@2");
    assert_eq!(placed(CJK.document(), "タワーTower。次"), "タ@0 タワ@0 ワ@1 ワー@1 ー@2 tower@3 次@4");
    assert_eq!(placed(CJK.document(), "한국어 배우기"), "한@0 한국@0 국@1 국어@1 어@2 배@3 배우@3 우@4 우기@4 기@5");
}

#[test]
fn queries_ask_for_pairs_and_for_letters_that_stand_alone() {
    assert_eq!(placed(CJK.query(), "東京都"), "東京@0 京都@1");
    assert_eq!(placed(CJK.query(), "京"), "京@0");
    assert_eq!(placed(CJK.query(), "東京 the 都"), "東京@0 the@2 都@3", "as far apart as in a document");
    assert_eq!(placed(CJK.query(), "plain words"), "plain@0 words@1");
}

#[test]
fn composed_and_decomposed_letters_are_the_same_term() {
    assert_eq!(placed(CJK.document(), "\u{1112}\u{1161}\u{11ab}글"), placed(CJK.document(), "한글"));
    assert_eq!(placed(CJK.document(), "ﾊﾟﾘ"), placed(CJK.document(), "パリ"));
    assert_eq!(placed(CJK.document(), "か\u{3099}き"), placed(CJK.document(), "がき"));
}
