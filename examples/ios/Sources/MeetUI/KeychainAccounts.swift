#if canImport(SwiftUI) && os(iOS)
import Foundation
import MeetModels
import Security

/// Keeps the account in the phone's keychain.
public struct KeychainAccounts: AccountStore {
    /// The app's own.
    public init() {}

    public func load() -> Account? {
        var query = item
        query[kSecReturnData as String] = true
        var found: CFTypeRef?
        guard SecItemCopyMatching(query as CFDictionary, &found) == errSecSuccess, let data = found as? Data else {
            return nil
        }
        return try? JSONDecoder().decode(Account.self, from: data)
    }

    public func save(_ account: Account?) {
        SecItemDelete(item as CFDictionary)
        guard let account, let data = try? JSONEncoder().encode(account) else { return }
        var added = item
        added[kSecValueData as String] = data
        added[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        SecItemAdd(added as CFDictionary, nil)
    }

    private var item: [String: Any] {
        [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: "dev.parvis.meet",
            kSecAttrAccount as String: "account",
        ]
    }
}
#endif
